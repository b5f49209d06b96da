import fc from 'fast-check'
import { contiguousEnd, gaps } from '../../src/batch/run/coverage'
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

describe('the end of what is contiguous', () => {
  it('is the first position from a given one on that no part holds', () => {
    fc.assert(
      fc.property(fc.nat(size - 1), anyRanges, (from, ranges) => {
        const held = bitmap(ranges)
        let end = from
        while (held[end]) end++
        expect(contiguousEnd(ranges, from)).toBe(end)
      }),
      { numRuns: 500 },
    )
  })

  it('does not depend on the order in which parts are listed', () => {
    fc.assert(
      fc.property(anyRanges, fc.nat(size - 1), (ranges, from) => {
        expect(contiguousEnd([...ranges].reverse(), from)).toBe(contiguousEnd(ranges, from))
      }),
    )
  })
})
