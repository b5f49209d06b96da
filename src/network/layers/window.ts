import * as z from 'zod'
import { text } from '../builder'
import { type Layer, type Padding, refuse, type Tensor } from './layer'

/*
 * Sliding windows, shared by convolution and pooling.
 */

export type Pair = [rows: number, columns: number]

const count = z.int().positive()
export const pair = z.union([count.transform((both): Pair => [both, both]), z.tuple([count, count])])

/** The default format is rows, columns, channels. */
export const channelsLast = z.literal('channels_last').nullish()

export const windowSchema = z.object({
  padding: z.enum(['valid', 'same']).default('valid'),
  data_format: channelsLast,
})

export interface Window {
  size: Pair
  strides: Pair
  dilation?: Pair
  padding: 'valid' | 'same'
}

/** Padding of an axis at its start and end for TensorFlow's SAME. */
function samePadding(length: number, extent: number, stride: number): [number, number] {
  const total = Math.max((Math.ceil(length / stride) - 1) * stride + extent - length, 0)
  return [Math.floor(total / 2), Math.ceil(total / 2)]
}

/** Extent of a window on each axis, including dilation. */
const extentOf = ({ size, dilation = [1, 1] }: Window): Pair => [
  (size[0] - 1) * dilation[0] + 1,
  (size[1] - 1) * dilation[1] + 1,
]

const isSame = ({ shape }: Tensor, window: Window, padding: Padding): boolean =>
  extentOf(window).every((extent, axis) => {
    const [begin, end] = samePadding(shape[axis] ?? 0, extent, window.strides[axis] ?? 1)
    return begin === padding[axis]?.[0] && end === padding[axis]?.[1]
  })

/**
 * Merges a zero padding layer into the window if that gives the same result. Not for pooling, which ignores its own padding.
 */
export function absorbZeros(input: Tensor, window: Window): { input: Tensor; window: Window } {
  const { padded } = input
  if (!padded || window.padding === 'same' || !isSame(padded.tensor, window, padded.padding))
    return { input, window }
  return { input: padded.tensor, window: { ...window, padding: 'same' } }
}

/** Rows and columns of a window's output. */
export function slide(layer: Layer, { shape }: Tensor, window: Window): Pair {
  const { strides, padding } = window
  const lengths = extentOf(window).map((extent, axis) => {
    const [length = 0, stride = 1] = [shape[axis], strides[axis]]
    return padding === 'same' ? Math.ceil(length / stride) : Math.floor((length - extent) / stride) + 1
  })
  if (lengths.some((length) => length < 1)) refuse(layer, `has a window larger than its input, [${shape}]`)
  return lengths as Pair
}

/** Attributes of a windowed operation, except the window's size. */
export const windowAttributes = ({ padding }: Window) => ({
  padding: text(padding.toUpperCase()),
  data_format: text('NHWC'),
})
