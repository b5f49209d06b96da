import { InvalidInputError } from '../../../src/errors'
import { roundHalfToEven } from '../../../src/network/float16'
import { transpose } from '../weights'

/** The smallest and the largest value of a tensor. */
export type Range = [min: number, max: number]

/** A value is `(byte − zeroPoint) · scale`; the byte is unsigned. */
export interface ByteScale {
  /** A float32. */
  scale: number
  zeroPoint: number
}

/** Weights of a convolution or dense layer, one output channel after the other. */
export interface FloatLayer {
  /** `[out, in of the group, height × width]`, row-major. */
  weights: Float64Array
  bias: Float64Array
}

/** What goes into a layer. */
export interface LayerInput {
  scale: number
  /** Of each channel, over images and positions. */
  means: readonly number[]
  /** Each output channel reads the inputs of its group; as many as channels where the convolution is depthwise. */
  groups: number
}

export interface Int8Layer {
  weights: Int8Array
  /** Of the weights, one for each output channel. */
  scales: Float32Array
  /** In steps of `biasScales`: its channel's scale × the input's. */
  bias: Int32Array
  biasScales: Float32Array
}

/** Rounding may add a step to each of two weights whose sum must not be more than 128. */
const largestWeight = 126
/** A quarter of int32's range: the rest is left to the correction and the sum of products. */
const largestBias = 2 ** 30

const clamp = (value: number, min: number, max: number): number => Math.min(Math.max(value, min), max)

/** Spreads a range over the values of a byte. Zero is always one of them: the padding has to be exact. */
export function byteScaleOf([min, max]: Range): ByteScale {
  const [lowest, highest] = [Math.min(min, 0), Math.max(max, 0)]
  if (!Number.isFinite(highest - lowest)) {
    throw new InvalidInputError('bad_model', `Expected a finite range, got ${min} to ${max}`)
  }
  // Any step will do for a range of zero, but a scale is never zero.
  const scale = Math.fround(Math.max((highest - lowest) / 255, 2 ** -100))
  return { scale, zeroPoint: clamp(roundHalfToEven(-lowest / scale), 0, 255) }
}

/** The largest sum of two values next to each other, the first at an even position; or the largest value. */
const largestPair = (values: Float64Array): number =>
  values.reduce(
    (most, value, index) =>
      Math.max(most, Math.abs(value), index % 2 ? Math.abs(value + (values[index - 1] ?? 0)) : 0),
    0,
  )

/**
 * What has to fit into 126 steps. On CPUs with AVX2 or AVX-512 but without VNNI, ONNX Runtime adds the products of two
 * weights next to each other in 16 bits, which saturate: 255 · (a + b) fits while a + b ≤ 128. Runtimes have the weights
 * of an output channel in either order of axes. Depthwise convolutions are summed in 32 bits.
 */
function extentOf(row: Float64Array, area: number, isDepthwise: boolean): number {
  if (isDepthwise) return row.reduce((most, weight) => Math.max(most, Math.abs(weight)), 0)
  const channelsLast = transpose(row, [row.length / area, area], [1, 0])
  return Math.max(largestPair(row), largestPair(channelsLast))
}

/**
 * Rounds the weights of one input channel so that their sum is kept to half a step: neighbouring pixels are much alike, and
 * errors that add up would shift all of a smooth area.
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

/** Steps as fine as the weights allow, and coarse enough for the bias to fit: a channel may be nearly all bias. */
function weightScaleOf(extent: number, bias: number, inputScale: number): number {
  const scale = Math.max(extent / largestWeight, Math.abs(bias) / inputScale / largestBias, 2 ** -100)
  if (!Number.isFinite(scale)) throw new InvalidInputError('bad_model', 'Expected finite weights and biases')
  return Math.fround(scale)
}

/**
 * Weights as int8, symmetric, with a scale for each output channel. What the rounding of weights adds to the mean of an
 * output is taken off its bias: `b += Σ (w − wq) · E[x]`.
 */
export function quantiseLayer({ weights, bias }: FloatLayer, input: LayerInput): Int8Layer {
  const channels = bias.length
  const rowLength = weights.length / channels
  const inputs = input.means.length / input.groups
  const area = rowLength / inputs
  if (![rowLength, inputs, area].every(Number.isInteger)) {
    throw new InvalidInputError(
      'bad_model',
      `Expected means for ${rowLength} weights a channel in ${input.groups} groups, got ${input.means.length}`,
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
