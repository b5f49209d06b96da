/**
 * Histogram of durations by bucket number. Buckets grow by 5 %, so quantiles need constant memory and do not depend on
 * order. Bucket n holds (base^(n−1), base^n] ms; bucket 0 everything up to 1 ms.
 */
export type Histogram = Record<number, number>

const base = 1.05

export const emptyHistogram = (): Histogram => ({})

export function addTo(histogram: Histogram, milliseconds: number): void {
  const bucket = milliseconds <= 1 ? 0 : Math.ceil(Math.log(milliseconds) / Math.log(base))
  histogram[bucket] = (histogram[bucket] ?? 0) + 1
}

/**
 * A quantile in milliseconds, to 5 %; 0 for an empty histogram.
 * @param share 0–1; 0.95 for the 95th percentile
 */
export function quantile(histogram: Histogram, share: number): number {
  const buckets = Object.entries(histogram).map(([bucket, number]) => [Number(bucket), number] as const)
  const total = buckets.reduce((sum, [, number]) => sum + number, 0)
  let counted = 0
  for (const [bucket, number] of buckets.sort(([a], [b]) => a - b)) {
    counted += number
    // Round down: rounding up would exceed the 5 %.
    if (counted >= total * share) return Math.floor(base ** bucket * 100) / 100
  }
  return 0
}
