import type { SquareInput, WholeInput } from '../model-folder/description'
import type { Orientation } from './orientation'

/** How a model wants its images. */
export type InputSpec = Omit<SquareInput, 'mean' | 'std'> | WholeInput

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
  /** How long its pixels took, once their turn had come, milliseconds. */
  ms: number
}

/**
 * Above this many pixels an image is refused from its header alone: a few kilobytes of PNG can claim gigapixels.
 * 50 million is more than all but the rarest cameras write.
 */
export const maxPixels = 50_000_000

export interface Size {
  width: number
  height: number
}

/** The size to which an image is resized, before its centre is cut out. */
export function scaledSize({ width, height }: Size, input: InputSpec): Size {
  if ('longestSide' in input) {
    return scaledBy(Math.min(1, input.longestSide / Math.max(width, height)), { width, height })
  }
  const { size, resizeShortSide } = input
  if (resizeShortSide === undefined) return { width: size, height: size }
  return scaledBy(resizeShortSide / Math.min(width, height), { width, height })
}

const scaledBy = (scale: number, { width, height }: Size): Size => ({
  width: Math.max(1, Math.round(width * scale)),
  height: Math.max(1, Math.round(height * scale)),
})

/**
 * What of the resized image the network sees. Where the centre is cut out, an odd pixel is left over on the right and
 * below of the upright image, as where the model was evaluated: the other way round moves probabilities by several per
 * cent.
 */
export function cutOf(
  scaled: Size,
  input: InputSpec,
  { mirroredX, mirroredY }: Pick<Orientation, 'mirroredX' | 'mirroredY'>,
): Size & { left: number; top: number } {
  if ('longestSide' in input) return { left: 0, top: 0, ...scaled }
  const { size } = input
  return {
    left: (mirroredX ? Math.ceil : Math.floor)((scaled.width - size) / 2),
    top: (mirroredY ? Math.ceil : Math.floor)((scaled.height - size) / 2),
    width: size,
    height: size,
  }
}
