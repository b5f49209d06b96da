import type { SquareInput, WholeInput } from '../model-folder/description'

/** How a model wants its images. */
export type InputSpec = Omit<SquareInput, 'mean' | 'std'> | WholeInput

export interface Size {
  width: number
  height: number
}

/** An RGB image, row by row, 0–255. */
export interface RgbImage extends Size {
  data: Uint8Array
}

/** An image as the network sees it. */
export interface DecodedImage {
  /** RGB pixels, row by row, 0–255. */
  pixels: Uint8Array
  rows: number
  columns: number
  /** Size of the original, upright, pixels. */
  width: number
  height: number
  /** `jpeg`, `png`, `webp`, `gif`, `avif` or `tiff`. */
  format: string
  /** What a camera wrote, as it lies in the file. */
  exif?: Uint8Array
  /** The ICC profile that its colours are meant by, as it lies in the file. */
  profile?: Uint8Array
  /** How long its pixels took, once their turn had come, milliseconds. */
  ms: number
}

/**
 * Above this many pixels an image is refused from its header alone: a few kilobytes of PNG can claim gigapixels.
 * 50 million is more than all but the rarest cameras write.
 */
export const maxPixels = 50_000_000
