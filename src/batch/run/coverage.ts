import type { Range } from '../../schema'

const byStart = (ranges: Iterable<Range>): Range[] => [...ranges].sort((a, b) => a.start - b.start)

/** How far the ranges reach without a gap from `from` on. They may overlap and come in any order. */
export function contiguousEnd(ranges: Iterable<Range>, from: number): number {
  let end = from
  for (const range of byStart(ranges)) {
    if (range.start > end) break
    end = Math.max(end, range.end)
  }
  return end
}

/** What of `whole` none of the ranges holds. */
export function gaps(whole: Range, ranges: Iterable<Range>): Range[] {
  const missing: Range[] = []
  let next = whole.start
  for (const { start, end } of byStart(ranges)) {
    if (start >= whole.end) break
    if (start > next) missing.push({ start: next, end: start })
    next = Math.max(next, end)
  }
  if (next < whole.end) missing.push({ start: next, end: whole.end })
  return missing
}
