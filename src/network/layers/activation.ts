import * as z from 'zod'
import { ofFloats } from '../builder'
import { configOf, inputOf, type Layer, refuse, type Tensor, type WriteLayer } from './layer'

/** Keras activations that are a single operation. */
const operations = new Map([
  ['relu', 'Relu'],
  ['relu6', 'Relu6'],
  ['sigmoid', 'Sigmoid'],
  ['tanh', 'Tanh'],
  ['elu', 'Elu'],
  ['selu', 'Selu'],
  ['softplus', 'Softplus'],
  ['softmax', 'Softmax'],
])

const apply = ({ graph, name }: Layer, op: string, inputs: string[], attr: object = {}): string =>
  graph.add(`${name}/${op}`, op, inputs, { ...ofFloats, ...attr })

/** Applies an activation. @param activation its Keras name */
export function activate(layer: Layer, tensor: Tensor, activation = 'linear'): Tensor {
  const { shape, node } = tensor
  if (activation === 'linear') return tensor
  if (activation === 'swish' || activation === 'silu')
    return { shape, node: apply(layer, 'Mul', [node, apply(layer, 'Sigmoid', [node])]) }
  const op = operations.get(activation) ?? refuse(layer, `has an unknown activation: ${activation}`)
  return { shape, node: apply(layer, op, [node]) }
}

/** Config of a layer with a built-in activation. */
export const activationSchema = z.object({ activation: z.string().nullish() })

const activation: WriteLayer = (layer) =>
  activate(layer, inputOf(layer), configOf(layer, z.object({ activation: z.string() })).activation)

const reluSchema = z.object({
  max_value: z.number().positive().nullish(),
  negative_slope: z.number().nullish(),
  threshold: z.literal(0, 'only a threshold of 0 is known').nullish(),
})

const relu: WriteLayer = (layer) => {
  const { max_value: max, negative_slope: slope } = configOf(layer, reluSchema)
  const input = inputOf(layer)
  if (slope) return max ? refuse(layer, 'has both a slope and a maximum') : leak(layer, input, slope)
  if (max === 6) return activate(layer, input, 'relu6')
  const output = activate(layer, input, 'relu')
  if (!max) return output
  const limit = layer.graph.constant(`${layer.name}/max`, [], Float32Array.of(max))
  return { ...output, node: apply(layer, 'Minimum', [output.node, limit]) }
}

const leak = (layer: Layer, { node, shape }: Tensor, alpha: number): Tensor => ({
  shape,
  node: apply(layer, 'LeakyRelu', [node], { alpha: { f: alpha } }),
})

/** Keras 3 renamed the parameter. */
const leakSchema = z.object({ alpha: z.number().optional(), negative_slope: z.number().default(0.3) })

const leakyRelu: WriteLayer = (layer) => {
  const { negative_slope: slope, alpha = slope } = configOf(layer, leakSchema)
  return leak(layer, inputOf(layer), alpha)
}

const softmaxSchema = z.object({ axis: z.literal(-1, 'only the last axis is known').nullish() })

const softmax: WriteLayer = (layer) => {
  configOf(layer, softmaxSchema)
  return activate(layer, inputOf(layer), 'softmax')
}

export const activations: Record<string, WriteLayer> = {
  Activation: activation,
  ReLU: relu,
  LeakyReLU: leakyRelu,
  Softmax: softmax,
}
