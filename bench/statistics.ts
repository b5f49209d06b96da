const sorted = (numbers: number[]): number[] => numbers.toSorted((a, b) => a - b)

export function median(numbers: number[]): number {
  const values = sorted(numbers)
  return ((values[(values.length - 1) >> 1] ?? Number.NaN) + (values[values.length >> 1] ?? Number.NaN)) / 2
}

/** The smallest number that so large a share of them does not exceed. */
export const percentile = (numbers: number[], share: number): number =>
  sorted(numbers)[Math.max(0, Math.ceil(numbers.length * share) - 1)] ?? Number.NaN

/** The median of what the rounds say, so that whatever else the machine does weighs on both. */
export const ratioOf = (these: number[], those: number[]): number =>
  median(these.map((value, round) => value / (those[round] ?? Number.NaN)))
