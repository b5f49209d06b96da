import * as z from 'zod'
import { scaleAndShift } from '../affine'
import { ofFloats, text } from '../builder'
import { activationSchema } from './activation'
import { finish } from './convolution'
import { configOf, inputOf, type Layer, lengthOf, refuse, type Tensor, type WriteLayer } from './layer'

const denseSchema = activationSchema.extend({
  units: z.int().positive(),
  use_bias: z.boolean().default(true),
})

const dense: WriteLayer = (layer) => {
  const config = configOf(layer, denseSchema)
  const input = inputOf(layer, 1)
  const kernel = layer.weight('kernel', [lengthOf(input.shape), config.units])
  const node = layer.graph.add(`${layer.name}/MatMul`, 'MatMul', [input.node, kernel], {
    ...ofFloats,
    transpose_a: { b: false },
    transpose_b: { b: false },
  })
  return finish(layer, { node, shape: [config.units] }, config)
}

const batchNormSchema = z.object({
  axis: z.union([z.int(), z.array(z.int()).length(1)]).default(-1),
  epsilon: z.number().positive().default(1e-3),
  center: z.boolean().default(true),
  scale: z.boolean().default(true),
})

const batchNormalization: WriteLayer = (layer) => {
  const { axis, epsilon, center, scale } = configOf(layer, batchNormSchema)
  const input = inputOf(layer)
  const [given = -1] = [axis].flat()
  if (given !== -1 && given !== input.shape.length)
    refuse(layer, `normalizes axis ${given}, expected the last`)
  const shape = input.shape.slice(-1)
  const filled = (value: number) => new Float32Array(lengthOf(shape)).fill(value)
  if (input.shape.length === 3) {
    const { name, graph } = layer
    const parameters = [
      scale ? layer.weight('gamma', shape) : graph.constant(`${name}/gamma`, shape, filled(1)),
      center ? layer.weight('beta', shape) : graph.constant(`${name}/beta`, shape, filled(0)),
      layer.weight('moving_mean', shape),
      layer.weight('moving_variance', shape),
    ]
    const node = graph.add(`${name}/FusedBatchNormV3`, 'FusedBatchNormV3', [input.node, ...parameters], {
      ...ofFloats,
      U: { type: 'DT_FLOAT' },
      data_format: text('NHWC'),
      epsilon: { f: epsilon },
      is_training: { b: false },
    })
    return { node, shape: input.shape }
  }
  // TensorFlow's operation supports only images.
  const affine = scaleAndShift({
    gamma: scale ? layer.values('gamma', shape) : filled(1),
    beta: center ? layer.values('beta', shape) : filled(0),
    mean: layer.values('moving_mean', shape),
    variance: layer.values('moving_variance', shape),
    epsilon,
  })
  return scaled(layer, input, shape, Float32Array.from(affine.scale), Float32Array.from(affine.shift))
}

/** `scale × input + shift`. @param shape of both */
function scaled(
  layer: Layer,
  input: Tensor,
  shape: number[],
  scale: Float32Array,
  shift: Float32Array,
): Tensor {
  const { name, graph } = layer
  const factor = graph.constant(`${name}/scale`, shape, scale)
  const product = graph.add(`${name}/Mul`, 'Mul', [input.node, factor], ofFloats)
  const term = graph.constant(`${name}/shift`, shape, shift)
  return { shape: input.shape, node: graph.add(`${name}/AddV2`, 'AddV2', [product, term], ofFloats) }
}

const rescaling: WriteLayer = (layer) => {
  const { scale, offset } = configOf(layer, z.object({ scale: z.number(), offset: z.number().default(0) }))
  return scaled(layer, inputOf(layer), [], Float32Array.of(scale), Float32Array.of(offset))
}

export const linear: Record<string, WriteLayer> = {
  Dense: dense,
  BatchNormalization: batchNormalization,
  Rescaling: rescaling,
}
