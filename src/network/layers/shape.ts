import * as z from 'zod'
import { ofFloats, ofIntegers } from '../builder'
import {
  configOf,
  inputOf,
  type Layer,
  lengthOf,
  type Padding,
  refuse,
  type Tensor,
  type WriteLayer,
} from './layer'
import { channelsLast } from './window'

function reshapeTo(layer: Layer, { node, shape: from }: Tensor, shape: number[]): Tensor {
  if (lengthOf(from) !== lengthOf(shape) || !shape.every(Number.isInteger))
    refuse(layer, `cannot reshape [${from}] to [${shape}]`)
  const target = layer.graph.constant(
    `${layer.name}/shape`,
    [shape.length + 1],
    Int32Array.from([-1, ...shape]),
  )
  const attributes = { ...ofFloats, ...ofIntegers('Tshape') }
  return { node: layer.graph.add(`${layer.name}/Reshape`, 'Reshape', [node, target], attributes), shape }
}

const flatten: WriteLayer = (layer) => {
  configOf(layer, z.object({ data_format: channelsLast }))
  const input = inputOf(layer)
  return reshapeTo(layer, input, [lengthOf(input.shape)])
}

const reshape: WriteLayer = (layer) => {
  const { target_shape: target } = configOf(layer, z.object({ target_shape: z.array(z.int()) }))
  const input = inputOf(layer)
  // One length may be -1, to be inferred.
  const rest = lengthOf(input.shape) / lengthOf(target.filter((length) => length > 0))
  return reshapeTo(
    layer,
    input,
    target.map((length) => (length > 0 ? length : rest)),
  )
}

const size = z.int().nonnegative()
const ends = z.tuple([size, size])
const paddingSchema = z.object({
  data_format: channelsLast,
  padding: z.union([
    size.transform(
      (all): Padding => [
        [all, all],
        [all, all],
      ],
    ),
    ends.transform(
      ([rows, columns]): Padding => [
        [rows, rows],
        [columns, columns],
      ],
    ),
    z.tuple([ends, ends]),
  ]),
})

const zeroPadding: WriteLayer = (layer) => {
  const { padding } = configOf(layer, paddingSchema)
  const tensor = inputOf(layer, 3)
  const paddings = Int32Array.from([0, 0, ...padding.flat(), 0, 0])
  const amounts = layer.graph.constant(`${layer.name}/paddings`, [4, 2], paddings)
  const attributes = { ...ofFloats, ...ofIntegers('Tpaddings') }
  const node = layer.graph.add(`${layer.name}/Pad`, 'Pad', [tensor.node, amounts], attributes)
  const shape = tensor.shape.map((length, axis) => {
    const [begin, end] = padding[axis] ?? [0, 0]
    return length + begin + end
  })
  return { node, shape, padded: { tensor, padding } }
}

/** For layers that only matter in training. */
const identity: WriteLayer = (layer) => inputOf(layer)

export const shapes: Record<string, WriteLayer> = {
  Flatten: flatten,
  Reshape: reshape,
  ZeroPadding2D: zeroPadding,
  Dropout: identity,
  SpatialDropout2D: identity,
  GaussianDropout: identity,
  GaussianNoise: identity,
  AlphaDropout: identity,
  ActivityRegularization: identity,
}
