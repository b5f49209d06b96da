import * as z from 'zod'
import { integers, ofFloats } from '../builder'
import { activate, activationSchema } from './activation'
import { configOf, inputOf, type Layer, refuse, type Tensor, type WriteLayer } from './layer'
import { absorbZeros, pair, slide, type Window, windowAttributes, windowSchema } from './window'

const convolutionSchema = activationSchema.extend({
  ...windowSchema.shape,
  kernel_size: pair,
  strides: pair.default([1, 1]),
  dilation_rate: pair.default([1, 1]),
  use_bias: z.boolean().default(true),
  groups: z.literal(1, 'only one group is known').nullish(),
})
const filters = z.object({ filters: z.int().positive() })
const multiplier = z.object({ depth_multiplier: z.int().positive().default(1) })

type Config = z.infer<typeof convolutionSchema>

const windowOf = ({ kernel_size: size, strides, dilation_rate: dilation, padding }: Config): Window => ({
  ...{ size, strides, dilation, padding },
})

/** @param weight the kernel: its name and the last two lengths of its shape */
function convolve(
  layer: Layer,
  from: Tensor,
  op: string,
  given: Window,
  weight: [string, number, number],
): Tensor {
  const { input, window } = absorbZeros(from, given)
  const [name, second, last] = weight
  const { size, strides, dilation = [1, 1] } = window
  const kernel = layer.weight(name, [...size, second, last])
  const node = layer.graph.add(`${layer.name}/${op}`, op, [input.node, kernel], {
    ...ofFloats,
    strides: integers([1, ...strides, 1]),
    dilations: integers([1, ...dilation, 1]),
    explicit_paddings: { list: {} },
    ...windowAttributes(window),
  })
  const channels = op === 'Conv2D' ? last : second * last
  return { node, shape: [...slide(layer, input, window), channels] }
}

/** Adds bias and activation. */
export function finish(
  layer: Layer,
  { node, shape }: Tensor,
  { use_bias: useBias, activation }: { use_bias: boolean; activation?: string | null },
): Tensor {
  if (!useBias) return activate(layer, { node, shape }, activation ?? undefined)
  const bias = layer.weight('bias', shape.slice(-1))
  const biased = layer.graph.add(`${layer.name}/BiasAdd`, 'BiasAdd', [node, bias], ofFloats)
  return activate(layer, { node: biased, shape }, activation ?? undefined)
}

const channelsOf = ({ shape }: Tensor): number => shape.at(-1) ?? 0

const conv2D: WriteLayer = (layer) => {
  const config = configOf(layer, convolutionSchema.extend(filters.shape))
  const input = inputOf(layer, 3)
  const kernel: [string, number, number] = ['kernel', channelsOf(input), config.filters]
  return finish(layer, convolve(layer, input, 'Conv2D', windowOf(config), kernel), config)
}

const depthwiseConv2D: WriteLayer = (layer) => {
  const config = configOf(layer, convolutionSchema.extend(multiplier.shape))
  return finish(layer, depthwise(layer, windowOf(config), config.depth_multiplier), config)
}

function depthwise(layer: Layer, window: Window, multiplier: number): Tensor {
  const input = inputOf(layer, 3)
  const [rows, columns] = window.strides
  if (rows !== columns) refuse(layer, `has strides of ${rows} and ${columns}; they must be equal`)
  const kernel: [string, number, number] = ['depthwise_kernel', channelsOf(input), multiplier]
  return convolve(layer, input, 'DepthwiseConv2dNative', window, kernel)
}

const separableConv2D: WriteLayer = (layer) => {
  const config = configOf(layer, convolutionSchema.extend({ ...filters.shape, ...multiplier.shape }))
  const deep = depthwise(layer, windowOf(config), config.depth_multiplier)
  const kernel: [string, number, number] = ['pointwise_kernel', channelsOf(deep), config.filters]
  const point: Window = { size: [1, 1], strides: [1, 1], padding: 'valid' }
  return finish(layer, convolve(layer, deep, 'Conv2D', point, kernel), config)
}

export const convolutions: Record<string, WriteLayer> = {
  Conv2D: conv2D,
  DepthwiseConv2D: depthwiseConv2D,
  SeparableConv2D: separableConv2D,
}
