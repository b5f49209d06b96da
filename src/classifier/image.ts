import type { ModelDescription } from '../models/folder'
import type { Orientation } from './orientation'

/** How a model wants its images. */
export type InputSpec = ModelDescription['input']

/** An image as the network sees it. */
export interface DecodedImage {
  /** `size`×`size` RGB pixels, row by row, 0–255. */
  pixels: Uint8Array
  /** Size of the original, upright, pixels. */
  width: number
  height: number
  /** `jpeg`, `png`, `webp`, `gif`, `avif` or `tiff`. */
  format: string
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

/** The size at which the shorter side is `resizeShortSide` pixels long. */
export function scaledSize({ width, height }: Size, { resizeShortSide }: InputSpec): Size {
  const scale = resizeShortSide / Math.min(width, height)
  return { width: Math.round(width * scale), height: Math.round(height * scale) }
}

/**
 * Where the centre square begins. An odd pixel is left over on the right and below of the upright image, as where the
 * model was evaluated: the other way round moves probabilities by several per cent.
 */
export const centre = (
  { width, height }: Size,
  size: number,
  { mirroredX, mirroredY }: Pick<Orientation, 'mirroredX' | 'mirroredY'>,
): { left: number; top: number } => ({
  left: (mirroredX ? Math.ceil : Math.floor)((width - size) / 2),
  top: (mirroredY ? Math.ceil : Math.floor)((height - size) / 2),
})
