import fc from 'fast-check'
import { gaps, isCovered, mergeRanges } from '../../src/batch/running/coverage'
import type { Range } from '../../src/schema'

const size = 40

const anyRange: fc.Arbitrary<Range> = fc
  .tuple(fc.nat(size - 1), fc.integer({ min: 1, max: 12 }))
  .map(([start, length]) => ({ start, end: Math.min(start + length, size) }))
const anyRanges = fc.array(anyRange, { maxLength: 12 })

/** Which positions some range holds, one by one. */
function bitmap(ranges: Range[]): boolean[] {
  const held = new Array<boolean>(size).fill(false)
  for (const { start, end } of ranges) held.fill(true, start, end)
  return held
}

describe('what is missing of a range', () => {
  it('is every position that no part holds, and no other', () => {
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

  it('comes as the fewest ranges, in order', () => {
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

  it('leaves the list of parts as it was', () => {
    const ranges = [
      { start: 5, end: 7 },
      { start: 0, end: 2 },
    ]
    gaps({ start: 0, end: 9 }, ranges)
    expect(ranges.map(({ start }) => start)).toEqual([5, 0])
  })
})

describe('what ranges hold together', () => {
  it('is the same positions in the fewest ranges', () => {
    fc.assert(
      fc.property(anyRanges, (ranges) => {
        const together = mergeRanges(ranges)
        expect(bitmap(together)).toEqual(bitmap(ranges))
        for (const [index, { start }] of together.entries())
          expect(start).toBeGreaterThan(together[index - 1]?.end ?? -1)
      }),
    )
  })

  it('is all of a range where nothing of it is missing', () => {
    fc.assert(
      fc.property(anyRange, anyRanges, (whole, ranges) => {
        expect(isCovered(whole, mergeRanges(ranges))).toBe(gaps(whole, ranges).length === 0)
      }),
      { numRuns: 500 },
    )
  })
})
