import { InvalidInputError } from '../../../src/errors'
import { roundHalfToEven } from '../../../src/network/float16'
import { transpose } from '../weights'

/** Minimum and maximum of a tensor. */
export type Range = [min: number, max: number]

/** Unsigned bytes: the value is `(byte − zeroPoint) · scale`. */
export interface ByteScale {
  /** A float32. */
  scale: number
  zeroPoint: number
}

/** Weights of a convolution or dense layer, by output channel. */
export interface FloatLayer {
  /** `[out, in of the group, height × width]`, row-major. */
  weights: Float64Array
  bias: Float64Array
}

/** Input of a layer. */
export interface LayerInput {
  scale: number
  /** Per channel, over images and positions. */
  means: readonly number[]
  /** Each output channel reads the inputs of its group; a depthwise convolution has as many groups as channels. */
  groups: number
}

export interface Int8Layer {
  weights: Int8Array
  /** Weight scales, one per output channel. */
  scales: Float32Array
  /** In steps of `biasScales`, the weight scale × the input scale. */
  bias: Int32Array
  biasScales: Float32Array
}

/** Rounding may add a step to each of two weights whose sum must not exceed 128. */
const largestWeight = 126
/** A quarter of the int32 range, leaving room for the correction and the sum of products. */
const largestBias = 2 ** 30

const clamp = (value: number, min: number, max: number): number => Math.min(Math.max(value, min), max)

/** Maps a range to bytes. Always includes zero, because padding must be exact. */
export function byteScaleOf([min, max]: Range): ByteScale {
  const [lowest, highest] = [Math.min(min, 0), Math.max(max, 0)]
  if (!Number.isFinite(highest - lowest)) {
    throw new InvalidInputError('bad_model', `Expected a finite range, got ${min} to ${max}`)
  }
  // Any scale works for an empty range, except zero.
  const scale = Math.fround(Math.max((highest - lowest) / 255, 2 ** -100))
  return { scale, zeroPoint: clamp(roundHalfToEven(-lowest / scale), 0, 255) }
}

/** Largest sum of two adjacent values, the first at an even position; or the largest value. */
const largestPair = (values: Float64Array): number =>
  values.reduce(
    (most, value, index) =>
      Math.max(most, Math.abs(value), index % 2 ? Math.abs(value + (values[index - 1] ?? 0)) : 0),
    0,
  )

/**
 * The magnitude that must fit into 126 steps. On CPUs with AVX2 or AVX-512 but without VNNI, ONNX Runtime adds the products of two
 * adjacent weights in 16 bits with saturation: 255 · (a + b) fits while a + b ≤ 128. Runtimes may store the weights of an output
 * channel in either axis order. Depthwise convolutions are summed in 32 bits.
 */
function extentOf(row: Float64Array, area: number, isDepthwise: boolean): number {
  if (isDepthwise) return row.reduce((most, weight) => Math.max(most, Math.abs(weight)), 0)
  const channelsLast = transpose(row, [row.length / area, area], [1, 0])
  return Math.max(largestPair(row), largestPair(channelsLast))
}

/**
 * Rounds the weights of one input channel, keeping their sum to half a step: neighbouring pixels are similar, so errors that add up
 * would shift smooth areas.
 */
export function roundKeepingSum(values: Float64Array): Float64Array {
  const rounded = values.map(roundHalfToEven)
  const errors = Array.from(values, (value, index) => ({ index, error: value - (rounded[index] ?? 0) }))
  const missing = Math.round(errors.reduce((sum, { error }) => sum + error, 0))
  const sign = Math.sign(missing)
  errors.sort((a, b) => sign * (b.error - a.error))
  for (const { index } of errors.slice(0, Math.abs(missing))) rounded[index] = (rounded[index] ?? 0) + sign
  return rounded
}

/** Finest step that holds the weights and lets the bias fit: a channel may be nearly all bias. */
function weightScaleOf(extent: number, bias: number, inputScale: number): number {
  const scale = Math.max(extent / largestWeight, Math.abs(bias) / inputScale / largestBias, 2 ** -100)
  if (!Number.isFinite(scale)) throw new InvalidInputError('bad_model', 'Expected finite weights and biases')
  return Math.fround(scale)
}

/**
 * Quantises weights to symmetric int8, with a scale per output channel. Subtracts the mean error of weight rounding from the bias:
 * `b += Σ (w − wq) · E[x]`.
 */
export function quantiseLayer({ weights, bias }: FloatLayer, input: LayerInput): Int8Layer {
  const channels = bias.length
  const rowLength = weights.length / channels
  const inputs = input.means.length / input.groups
  const area = rowLength / inputs
  if (![rowLength, inputs, area].every(Number.isInteger)) {
    throw new InvalidInputError(
      'bad_model',
      `Expected means for ${rowLength} weights per channel in ${input.groups} groups, got ${input.means.length}`,
    )
  }
  const layer: Int8Layer = {
    weights: new Int8Array(weights.length),
    scales: new Float32Array(channels),
    bias: new Int32Array(channels),
    biasScales: new Float32Array(channels),
  }
  bias.forEach((value, channel) => {
    const start = channel * rowLength
    const row = weights.subarray(start, start + rowLength)
    const scale = weightScaleOf(extentOf(row, area, input.groups > 1), value, input.scale)
    const firstInput = Math.floor((channel * input.groups) / channels) * inputs
    let corrected = value
    for (let at = 0; at < rowLength; at += area) {
      const taps = row.subarray(at, at + area)
      const steps = roundKeepingSum(taps.map((weight) => weight / scale))
      layer.weights.set(steps, start + at)
      const error = taps.reduce((sum, weight, tap) => sum + weight - (steps[tap] ?? 0) * scale, 0)
      corrected += error * (input.means[firstInput + at / area] ?? 0)
    }
    const biasScale = Math.fround(scale * input.scale)
    layer.scales[channel] = scale
    layer.biasScales[channel] = biasScale
    layer.bias[channel] = roundHalfToEven(corrected / biasScale)
  })
  return layer
}
