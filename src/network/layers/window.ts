import * as z from 'zod'
import { text } from '../builder'
import { type Layer, type Padding, refuse, type Tensor } from './layer'

/*
 * What convolution and pooling share: a window that goes over the rows and columns of an image.
 */

export type Pair = [rows: number, columns: number]

const count = z.int().positive()
export const pair = z.union([count.transform((both): Pair => [both, both]), z.tuple([count, count])])

/** Without the format there are rows, columns and channels, in this order. */
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

/** What TensorFlow's SAME puts around an axis, at its beginning and end. */
function samePadding(length: number, extent: number, stride: number): [number, number] {
  const total = Math.max((Math.ceil(length / stride) - 1) * stride + extent - length, 0)
  return [Math.floor(total / 2), Math.ceil(total / 2)]
}

/** How far a window reaches on each axis, its holes counted. */
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
 * Zeros that a layer of its own has put around an image are left to the window, where its own would be the same.
 * Not for pooling, which leaves its own out of account.
 */
export function absorbZeros(input: Tensor, window: Window): { input: Tensor; window: Window } {
  const { padded } = input
  if (!padded || window.padding === 'same' || !isSame(padded.tensor, window, padded.padding))
    return { input, window }
  return { input: padded.tensor, window: { ...window, padding: 'same' } }
}

/** Rows and columns of what a window makes of an image. */
export function slide(layer: Layer, { shape }: Tensor, window: Window): Pair {
  const { strides, padding } = window
  const lengths = extentOf(window).map((extent, axis) => {
    const [length = 0, stride = 1] = [shape[axis], strides[axis]]
    return padding === 'same' ? Math.ceil(length / stride) : Math.floor((length - extent) / stride) + 1
  })
  if (lengths.some((length) => length < 1))
    refuse(layer, `has a window larger than the image it sees, [${shape}]`)
  return lengths as Pair
}

/** The attributes of an operation with a window, but for the window's size. */
export const windowAttributes = ({ padding }: Window) => ({
  padding: text(padding.toUpperCase()),
  data_format: text('NHWC'),
})
