import type { Range } from '../../schema'

const byStart = (ranges: Iterable<Range>): Range[] => [...ranges].sort((a, b) => a.start - b.start)

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
