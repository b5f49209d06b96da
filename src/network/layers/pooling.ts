import * as z from 'zod'
import { integers, ofFloats, ofIntegers } from '../builder'
import { configOf, inputOf, type WriteLayer } from './layer'
import { channelsLast, pair, slide, type Window, windowAttributes, windowSchema } from './window'

const poolingSchema = windowSchema.extend({ pool_size: pair.default([2, 2]), strides: pair.nullish() })

const pool =
  (op: string): WriteLayer =>
  (layer) => {
    const { pool_size: size, strides, padding } = configOf(layer, poolingSchema)
    const window: Window = { size, strides: strides ?? size, padding }
    const input = inputOf(layer, 3)
    const node = layer.graph.add(`${layer.name}/${op}`, op, [input.node], {
      ...ofFloats,
      ksize: integers([1, ...size, 1]),
      strides: integers([1, ...window.strides, 1]),
      ...windowAttributes(window),
    })
    return { node, shape: [...slide(layer, input, window), ...input.shape.slice(2)] }
  }

const globalSchema = z.object({ data_format: channelsLast, keepdims: z.boolean().nullish() })

const globalPool =
  (op: string): WriteLayer =>
  (layer) => {
    const keep = configOf(layer, globalSchema).keepdims ?? false
    const input = inputOf(layer, 3)
    const axes = layer.graph.constant(`${layer.name}/axes`, [2], Int32Array.of(1, 2))
    const attributes = { ...ofFloats, ...ofIntegers('Tidx'), keep_dims: { b: keep } }
    const node = layer.graph.add(`${layer.name}/${op}`, op, [input.node, axes], attributes)
    const channels = input.shape.slice(2)
    return { node, shape: keep ? [1, 1, ...channels] : channels }
  }

export const pooling: Record<string, WriteLayer> = {
  MaxPooling2D: pool('MaxPool'),
  AveragePooling2D: pool('AvgPool'),
  GlobalMaxPooling2D: globalPool('Max'),
  GlobalAveragePooling2D: globalPool('Mean'),
}
