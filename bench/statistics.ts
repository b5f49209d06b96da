const sorted = (numbers: number[]): number[] => numbers.toSorted((a, b) => a - b)

export function median(numbers: number[]): number {
  const values = sorted(numbers)
  return ((values[(values.length - 1) >> 1] ?? Number.NaN) + (values[values.length >> 1] ?? Number.NaN)) / 2
}

/** The smallest value that is at least as large as this share of the values. */
export const percentile = (numbers: number[], share: number): number =>
  sorted(numbers)[Math.max(0, Math.ceil(numbers.length * share) - 1)] ?? Number.NaN

/** Median of the ratios per round, so that other load on the machine affects both sides. */
export const ratioOf = (these: number[], those: number[]): number =>
  median(these.map((value, round) => value / (those[round] ?? Number.NaN)))
