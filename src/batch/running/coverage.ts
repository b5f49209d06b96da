import type { Range } from '../../schema'

const byStart = (ranges: Iterable<Range>): Range[] => [...ranges].sort((a, b) => a.start - b.start)

/** The gaps in `whole` that no range covers. */
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

/** Merges overlapping and adjacent ranges, sorted. */
export function mergeRanges(ranges: Iterable<Range>): Range[] {
  const all: Range[] = []
  for (const { start, end } of byStart(ranges)) {
    const last = all.at(-1)
    if (last && start <= last.end) last.end = Math.max(last.end, end)
    else all.push({ start, end })
  }
  return all
}

/** Whether the ranges cover `whole`. @param ranges sorted, as returned by `joined` */
export function isCovered({ start, end }: Range, ranges: Range[]): boolean {
  let [low, high] = [0, ranges.length]
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((ranges[middle] as Range).end < end) low = middle + 1
    else high = middle
  }
  const found = ranges[low]
  return found !== undefined && found.start <= start && end <= found.end
}
