import fc from 'fast-check'
import { gaps, isCovered, mergeRanges } from '../../src/batch/running/coverage'
import type { Range } from '../../src/schema'

const size = 40

const anyRange: fc.Arbitrary<Range> = fc
  .tuple(fc.nat(size - 1), fc.integer({ min: 1, max: 12 }))
  .map(([start, length]) => ({ start, end: Math.min(start + length, size) }))
const anyRanges = fc.array(anyRange, { maxLength: 12 })

/** The positions that some range covers, one by one. */
function bitmap(ranges: Range[]): boolean[] {
  const held = new Array<boolean>(size).fill(false)
  for (const { start, end } of ranges) held.fill(true, start, end)
  return held
}

describe('the gaps in a range', () => {
  it('are the positions that no part covers', () => {
    fc.assert(
      fc.property(anyRange, anyRanges, (whole, ranges) => {
        const held = bitmap(ranges)
        const missing = bitmap(gaps(whole, ranges))
        for (let at = 0; at < size; at++) {
          expect(missing[at]).toBe(at >= whole.start && at < whole.end && !held[at])
        }
      }),
      { numRuns: 500 },
    )
  })

  it('are returned as the fewest ranges, sorted', () => {
    fc.assert(
      fc.property(anyRange, anyRanges, (whole, ranges) => {
        const missing = gaps(whole, ranges)
        for (const [index, gap] of missing.entries()) {
          expect(gap.end).toBeGreaterThan(gap.start)
          expect(gap.start).toBeGreaterThan(missing[index - 1]?.end ?? -1)
        }
      }),
    )
  })

  it('do not change the list of parts', () => {
    const ranges = [
      { start: 5, end: 7 },
      { start: 0, end: 2 },
    ]
    gaps({ start: 0, end: 9 }, ranges)
    expect(ranges.map(({ start }) => start)).toEqual([5, 0])
  })
})

describe('merged ranges', () => {
  it('cover the same positions with the fewest ranges', () => {
    fc.assert(
      fc.property(anyRanges, (ranges) => {
        const together = mergeRanges(ranges)
        expect(bitmap(together)).toEqual(bitmap(ranges))
        for (const [index, { start }] of together.entries())
          expect(start).toBeGreaterThan(together[index - 1]?.end ?? -1)
      }),
    )
  })

  it('cover a range that has no gaps', () => {
    fc.assert(
      fc.property(anyRange, anyRanges, (whole, ranges) => {
        expect(isCovered(whole, mergeRanges(ranges))).toBe(gaps(whole, ranges).length === 0)
      }),
      { numRuns: 500 },
    )
  })
})
