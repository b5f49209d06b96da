import type { SquareInput, WholeInput } from '../model-folder/description'

/** Input of a model. */
export type InputSpec = Omit<SquareInput, 'mean' | 'std'> | WholeInput

export interface Size {
  width: number
  height: number
}

/** RGB pixels, row by row, 0–255. */
export interface RgbImage extends Size {
  data: Uint8Array
}

/** An image prepared for the network. */
export interface DecodedImage {
  /** RGB pixels, row by row, 0–255. */
  pixels: Uint8Array
  rows: number
  columns: number
  /** Upright size of the original, pixels. */
  width: number
  height: number
  /** `jpeg`, `png`, `webp`, `gif`, `avif`, `heic` or `tiff`. */
  format: string
  /** EXIF block of the file. */
  exif?: Uint8Array
  /** ICC profile of the file. */
  profile?: Uint8Array
  /** Duration of decoding and resizing, without waiting, milliseconds. */
  ms: number
}

/**
 * Images with more pixels are refused by their header: a few kilobytes of PNG can claim gigapixels. 50 million is more than all
 * but the rarest cameras produce.
 */
export const maxPixels = 50_000_000
