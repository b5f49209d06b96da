import type { Region } from '../geometry'
import type { InputSpec, RgbImage, Size } from '../image'
import { type Taps, tapsOf } from './taps'
import { instantiate } from './wasm'

const { narrow, blend, memory } = instantiate()

/** Parameters of resizing. */
export interface Resizing {
  /** Size of the whole resized image, and the region to compute. */
  scaled: Size
  region: Region
  kernel: InputSpec['kernel']
  /** Size of the whole image in its own pixels, if fractions of a pixel are missing at its right and lower edges. */
  extent?: Size
  /** Resample columns before rows, because they are rows of the upright image. */
  columnsFirst?: boolean
}

/** Precomputed weights. */
export interface Plan {
  columns: Taps
  rows: Taps
  columnsFirst: boolean
}

/** @param size of the image */
export function planOf(
  size: Size,
  { scaled, region, kernel, extent = size, columnsFirst = false }: Resizing,
): Plan {
  return {
    columns: tapsOf(kernel, size.width, extent.width / scaled.width, region.left, region.width),
    rows: tapsOf(kernel, size.height, extent.height / scaled.height, region.top, region.height),
    columnsFirst,
  }
}

/** Region of the image that is read. */
export function neededOf({ columns, rows }: Plan): Region {
  const [left, top] = [columns.starts[0] as number, rows.starts[0] as number]
  return { left, top, width: columns.end - left, height: rows.end - top }
}

/**
 * Resizes and crops an image, with the same result as Pillow's `resize` up to rounding: rows first, then columns, each rounded to
 * 8 bits. Computes only the pixels inside the region.
 * @param image at least the region that is read
 * @param at position of `image` in the planned image
 * @returns width×height×3 bytes
 */
export function resample(
  image: RgbImage,
  { columns, rows, columnsFirst }: Plan,
  at: Position = { left: 0, top: 0 },
): Uint8Array {
  return columnsFirst ? blendThenNarrow(image, columns, rows, at) : narrowThenBlend(image, columns, rows, at)
}

/** The code may access this many bytes beyond its buffers. */
const slack = 16

/** Allocates parts of WebAssembly memory. @returns their offsets */
function allot(...sizes: number[]): number[] {
  const starts: number[] = []
  let end = 0
  for (const size of sizes) {
    starts.push(end)
    end += (size + slack + 15) & ~15
  }
  const missing = Math.ceil((end - memory.buffer.byteLength) / 65536)
  if (missing > 0) memory.grow(missing)
  return starts
}

const put = (data: Int16Array | Int32Array, at: number): void =>
  new Uint8Array(memory.buffer).set(new Uint8Array(data.buffer), at)

/** Size of the bands in which input is copied, bytes. */
const bandBytes = 1 << 18

type Position = Pick<Region, 'left' | 'top'>

function narrowThenBlend({ data, width }: RgbImage, columns: Taps, rows: Taps, at: Position): Uint8Array {
  const stride = width * 3
  const bytes = columns.starts.length * 3
  const first = rows.starts[0] as number
  const height = (rows.starts.at(-1) as number) + rows.perOutput - first
  const band = Math.max(1, Math.floor(bandBytes / stride))
  const [input = 0, starts = 0, across = 0, down = 0, narrowed = 0, output = 0] = allot(
    band * stride + columns.perOutput * 3,
    columns.starts.length * 4,
    columns.weights.byteLength,
    rows.weights.byteLength,
    height * bytes,
    rows.starts.length * bytes,
  )
  put(columns.startBytes, starts)
  put(columns.weights, across)
  put(rows.weights, down)
  const bytesOfMemory = new Uint8Array(memory.buffer)
  const top = first - at.top
  const present = Math.min(height, data.length / stride - top)
  for (let y = 0; y < present; y += band) {
    const count = Math.min(band, present - y)
    bytesOfMemory.set(data.subarray((top + y) * stride, (top + y + count) * stride), input)
    narrow(
      input - at.left * 3,
      stride,
      count,
      starts,
      across,
      columns.perOutput / 2,
      columns.starts.length,
      narrowed + y * bytes,
    )
  }
  rows.starts.forEach((start, y) => {
    const weights = down + y * rows.perOutput * 2
    blend(narrowed + (start - first) * bytes, bytes, weights, rows.perOutput / 2, bytes, output + y * bytes)
  })
  return bytesOfMemory.slice(output, output + rows.starts.length * bytes)
}

function blendThenNarrow({ data, width }: RgbImage, columns: Taps, rows: Taps, at: Position): Uint8Array {
  const stride = width * 3
  const [height, bytes] = [rows.starts.length, columns.starts.length * 3]
  const [input = 0, starts = 0, across = 0, down = 0, blended = 0, output = 0] = allot(
    rows.perOutput * stride,
    columns.starts.length * 4,
    columns.weights.byteLength,
    rows.weights.byteLength,
    height * stride + columns.perOutput * 3,
    height * bytes,
  )
  put(columns.startBytes, starts)
  put(columns.weights, across)
  put(rows.weights, down)
  const bytesOfMemory = new Uint8Array(memory.buffer)
  rows.starts.forEach((start, y) => {
    const top = start - at.top
    bytesOfMemory.set(data.subarray(top * stride, (top + rows.perOutput) * stride), input)
    const weights = down + y * rows.perOutput * 2
    blend(input, stride, weights, rows.perOutput / 2, stride, blended + y * stride)
  })
  narrow(
    blended - at.left * 3,
    stride,
    height,
    starts,
    across,
    columns.perOutput / 2,
    columns.starts.length,
    output,
  )
  return bytesOfMemory.slice(output, output + height * bytes)
}
