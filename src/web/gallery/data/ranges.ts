/** Formats row numbers as `0-99,250`. */
export function toRanges(rows: Iterable<number>): string {
  const sorted = Uint32Array.from(rows).sort()
  const ranges: string[] = []
  for (let at = 0; at < sorted.length; ) {
    const first = sorted[at] as number
    let last = first
    while (at < sorted.length && (sorted[at] as number) <= last + 1) last = sorted[at++] as number
    ranges.push(first === last ? `${first}` : `${first}-${last}`)
  }
  return ranges.join(',')
}
