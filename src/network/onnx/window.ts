import { integersAttribute, textAttribute } from '../graph'
import { activate, type Place, refuse, type Translate } from './place'

/*
 * Windowed operations, which ONNX has for NCHW only.
 */

/** @param attributes in addition to those of the window */
function slide(
  place: Place,
  op: string,
  inputs: string[],
  attributes: Record<string, string | number | number[]>,
): string {
  const { node, graph, input } = place
  // TensorFlow's SAME puts odd padding at the end, as ONNX's SAME_UPPER does.
  const padding = { SAME: 'SAME_UPPER', VALID: 'VALID' }[textAttribute(node, 'padding') ?? '']
  if (!padding) return refuse(node, 'the padding')
  if (textAttribute(node, 'data_format') === 'NCHW') return refuse(node, 'the format')
  const image = graph.add('Transpose', [input(0)], { perm: [0, 3, 1, 2] })
  const output = graph.add(op, [image, ...inputs], {
    auto_pad: padding,
    strides: spatial(place, 'strides'),
    ...attributes,
  })
  return graph.add('Transpose', [activate(place, output)], { perm: [0, 2, 3, 1] })
}

const spatial = ({ node }: Place, name: string): number[] => integersAttribute(node, name).slice(1, 3)

/** @param kernel in ONNX's layout */
function convolve(place: Place, kernel: string, group: number): string {
  const bias = place.inputs > 2 ? [place.input(2)] : []
  const dilations = spatial(place, 'dilations')
  if (dilations.every((dilation) => dilation === 1)) return slide(place, 'Conv', [kernel, ...bias], { group })
  return slide(place, 'Conv', [kernel, ...bias], { group, dilations, ...padsOf(place, dilations) })
}

/** ONNX Runtime does not support SAME with dilation. With stride 1, explicit padding is the same at any size. */
function padsOf(place: Place, dilations: number[]): Record<string, string | number[]> {
  if (textAttribute(place.node, 'padding') !== 'SAME') return {}
  if (spatial(place, 'strides').some((stride) => stride > 1)) refuse(place.node, 'strides over holes')
  const { shape } = place.weight(1)
  const totals = dilations.map((dilation, axis) => ((shape[axis] ?? 1) - 1) * dilation)
  return {
    auto_pad: 'NOTSET',
    pads: [...totals.map((total) => Math.floor(total / 2)), ...totals.map((total) => Math.ceil(total / 2))],
  }
}

/** `[h, w, in, out]` → `[out, in, h, w]` */
export const convolution: Translate = (place) => {
  const kernel = place.graph.add('Transpose', [place.input(1)], { perm: [3, 2, 0, 1] })
  return convolve(place, kernel, 1)
}

/** `[h, w, in, multiplier]` → `[in × multiplier, 1, h, w]` */
export const depthwise: Translate = (place) => {
  const { graph, input, weight } = place
  const [height = 0, width = 0, depth = 0, multiplier = 0] = weight(1).shape
  const transposed = graph.add('Transpose', [input(1)], { perm: [2, 3, 0, 1] })
  const shape = graph.integers([depth * multiplier, 1, height, width])
  return convolve(place, graph.add('Reshape', [transposed, shape]), depth)
}

/** Neither TensorFlow nor ONNX includes padding in the mean or maximum. */
export const pool =
  (op: string): Translate =>
  (place) =>
    slide(place, op, [], { kernel_shape: spatial(place, 'ksize') })
