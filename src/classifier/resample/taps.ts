import type { InputSpec } from '../image'

interface Kernel {
  /** Zero from this distance on. */
  radius: number
  weight(distance: number): number
}

/** Mitchell–Netravali cubics: b = 0, c = ½ is Catmull–Rom. */
const cubic = (b: number, c: number): Kernel => ({
  radius: 2,
  weight: (x) =>
    (x < 1
      ? ((12 - 9 * b - 6 * c) * x + (-18 + 12 * b + 6 * c)) * x * x + (6 - 2 * b)
      : (((-b - 6 * c) * x + (6 * b + 30 * c)) * x + (-12 * b - 48 * c)) * x + (8 * b + 24 * c)) / 6,
})

const sinc = (x: number): number => (x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x))

const kernels: Record<InputSpec['kernel'], Kernel> = {
  linear: { radius: 1, weight: (x) => 1 - x },
  cubic: cubic(0, 1 / 2),
  mitchell: cubic(1 / 3, 1 / 3),
  lanczos3: { radius: 3, weight: (x) => sinc(x) * sinc(x / 3) },
}

/** Fraction bits of a weight: the largest, slightly above 1, fits into 16 bits. */
const bits = 14

/** Inputs and their weights for each output along one side. */
export interface Taps {
  /** First input of each output. */
  starts: Int32Array
  /** Byte offset of that input in a row of RGB pixels. */
  startBytes: Int32Array
  /** Number of weights per output, even; those beyond the last input are zero. */
  perOutput: number
  weights: Int16Array
  /** End of the inputs used, exclusive. */
  end: number
}

/** Cache size; photos have few different sizes. An entry takes about 6 kB. */
const maxKept = 256
const kept = new Map<string, Taps>()

/** Cached {@link computeTaps}. */
export function tapsOf(...wanted: Parameters<typeof computeTaps>): Taps {
  const key = wanted.join()
  const known = kept.get(key)
  if (known) return known
  if (kept.size >= maxKept) kept.clear()
  const taps = computeTaps(...wanted)
  kept.set(key, taps)
  return taps
}

/**
 * Computes weights as Pillow does.
 * @param length number of inputs
 * @param scale inputs per output
 * @param offset first output of `count`
 */
function computeTaps(
  kernel: InputSpec['kernel'],
  length: number,
  scale: number,
  offset: number,
  count: number,
): Taps {
  const { radius, weight } = kernels[kernel]
  // When shrinking, widen the kernel over all inputs of an output to avoid aliasing.
  const stretch = Math.max(scale, 1)
  const reach = radius * stretch
  const perOutput = Math.ceil(reach) * 2 + 2
  const [starts, weights] = [new Int32Array(count), new Int16Array(count * perOutput)]
  const found = new Float64Array(perOutput)
  let end = 0
  for (let index = 0; index < count; index++) {
    const centre = (index + offset + 0.5) * scale
    const start = Math.min(length - 1, Math.max(0, Math.trunc(centre - reach + 0.5)))
    const taps = Math.max(1, Math.min(length, Math.trunc(centre + reach + 0.5)) - start)
    let sum = 0
    for (let i = 0; i < taps; i++) {
      found[i] = weight(Math.min(Math.abs(start + i + 0.5 - centre) / stretch, radius))
      sum += found[i] as number
    }
    starts[index] = start
    end = Math.max(end, start + taps)
    quantize(found.subarray(0, taps), sum, weights.subarray(index * perOutput))
  }
  return { starts, startBytes: starts.map((start) => start * 3), weights, perOutput, end }
}

/** Rounds the weights so that they add up to 1; otherwise a plain image would change. */
function quantize(found: Float64Array, sum: number, weights: Int16Array): void {
  let [rest, largest] = [1 << bits, 0]
  for (let i = 0; i < found.length; i++) {
    const value = Math.round(((found[i] as number) / sum) * 2 ** bits)
    weights[i] = value
    rest -= value
    if (value > (weights[largest] as number)) largest = i
  }
  weights[largest] = (weights[largest] as number) + rest
}
