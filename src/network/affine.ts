import type { GraphNode } from './graph'
import { inputsOf } from './graph'
import { floatsOf, type Weight } from './weights'

/** Parameters of a batch normalization, one value per channel. */
export interface BatchNorm {
  gamma: Float32Array
  beta: Float32Array
  mean: Float32Array
  variance: Float32Array
  epsilon: number
}

/** `scale × x + shift`, one value per channel. */
export interface Affine {
  scale: Float64Array
  shift: Float64Array
}

/** A batch normalization as scale and shift, in double precision. */
export function scaleAndShift({ gamma, beta, mean, variance, epsilon }: BatchNorm): Affine {
  const scale = Float64Array.from(
    gamma,
    (value, channel) => value / Math.sqrt((variance[channel] ?? 0) + epsilon),
  )
  const shift = Float64Array.from(
    beta,
    (value, channel) => value - (mean[channel] ?? 0) * (scale[channel] ?? 0),
  )
  return { scale, shift }
}

/** TensorFlow's default. */
const defaultEpsilon = 1e-4

/**
 * Scale and shift that a node applies to each channel of its input, if it does nothing else.
 * @param input its input that is not a weight
 */
export function affineOf(
  node: GraphNode,
  input: string,
  channels: number,
  weights: ReadonlyMap<string, Weight>,
): Partial<Affine> | undefined {
  const others = inputsOf(node).filter((name) => name !== input)
  const vectors = others.map((name) => vectorOf(weights.get(name), channels))
  const [gamma, beta, mean, variance] = vectors
  if (!gamma || vectors.some((vector) => !vector)) return undefined
  if (/^FusedBatchNorm(V[23])?$/.test(node.op)) {
    if (!beta || !mean || !variance || node.attr.is_training?.b === true) return undefined
    const epsilon = Number(node.attr.epsilon?.f ?? defaultEpsilon)
    return scaleAndShift({ gamma, beta, mean, variance, epsilon })
  }
  if (node.op === 'Mul') return { scale: Float64Array.from(gamma) }
  if (['BiasAdd', 'Add', 'AddV2'].includes(node.op)) return { shift: Float64Array.from(gamma) }
  return undefined
}

/** A weight with one value per channel, channels last. */
function vectorOf(weight: Weight | undefined, channels: number): Float32Array | undefined {
  if (weight?.dtype !== 'float32' || weight.shape.at(-1) !== channels) return undefined
  return weight.shape.every((length, axis) => length === 1 || axis === weight.shape.length - 1)
    ? floatsOf(weight)
    : undefined
}
