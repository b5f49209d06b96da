import * as z from 'zod'
import { ofFloats, ofIntegers } from '../builder'
import { configOf, type Layer, refuse, type Tensor, type WriteLayer } from './layer'

/** Broadcasts lengths of 1, as in TensorFlow. */
function broadcast(layer: Layer, a: number[], b: number[]): number[] {
  const fits =
    a.length === b.length && a.every((length, axis) => [length, 1].includes(b[axis] ?? 0) || length === 1)
  if (!fits) refuse(layer, `has inputs of incompatible shapes [${a}] and [${b}]`)
  return a.map((length, axis) => Math.max(length, b[axis] ?? 0))
}

/** Chains a binary operation over all inputs. */
const pairwise =
  (op: string): WriteLayer =>
  (layer) => {
    const [first, ...others] = layer.inputs
    if (!first || others.length === 0) return refuse(layer, 'reads fewer than two tensors')
    return others.reduce(
      (sum: Tensor, next) => ({
        shape: broadcast(layer, sum.shape, next.shape),
        node: layer.graph.add(`${layer.name}/${op}`, op, [sum.node, next.node], ofFloats),
      }),
      first,
    )
  }

const concatenate: WriteLayer = (layer) => {
  const { axis: given } = configOf(layer, z.object({ axis: z.int().default(-1) }))
  const [first, ...others] = layer.inputs
  if (!first || others.length === 0) return refuse(layer, 'reads fewer than two tensors')
  const rank = first.shape.length + 1
  const axis = given < 0 ? given + rank : given
  if (axis < 1 || axis >= rank) return refuse(layer, `concatenates along the invalid axis ${given}`)
  const elsewhere = ({ shape }: Tensor): string => shape.filter((_, index) => index !== axis - 1).join()
  const odd = others.find((other) => elsewhere(other) !== elsewhere(first) || other.shape.length + 1 !== rank)
  if (odd) refuse(layer, `has inputs of incompatible shapes [${first.shape}] and [${odd.shape}]`)
  const nodes = layer.inputs.map(({ node }) => node)
  const node = layer.graph.add(
    `${layer.name}/ConcatV2`,
    'ConcatV2',
    [...nodes, layer.graph.constant(`${layer.name}/axis`, [], Int32Array.of(axis))],
    { ...ofFloats, ...ofIntegers('Tidx'), N: { i: String(nodes.length) } },
  )
  const joined = layer.inputs.reduce((sum, { shape }) => sum + (shape[axis - 1] ?? 0), 0)
  return { node, shape: first.shape.map((length, index) => (index === axis - 1 ? joined : length)) }
}

export const merging: Record<string, WriteLayer> = {
  Add: pairwise('AddV2'),
  Subtract: pairwise('Sub'),
  Multiply: pairwise('Mul'),
  Maximum: pairwise('Maximum'),
  Minimum: pairwise('Minimum'),
  Concatenate: concatenate,
}
