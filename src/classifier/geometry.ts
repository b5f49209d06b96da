import type { InputSpec, Size } from './image'
import type { Orientation } from './orientation'

/*
 * Geometry and colour of a model's input, as described in whisklens.json, for all decoders. Results match Pillow and torchvision,
 * with which networks are trained and evaluated:
 *
 *   1. Colour: 8-bit RGB as stored, grey as three equal channels; transparency on white. Colour profiles are not applied,
 *      except to CMYK.
 *   2. Resize to scaledSize with `kernel`: `cubic` is Catmull–Rom (a = −½), widened by the factor when shrinking to avoid
 *      aliasing. Pixel i of n is at (i + ½) / n of the side. See resample.ts.
 *   3. Crop to cropOf.
 *   4. Scale with `mean` and `std`: preprocess.ts.
 *
 * Steps 2 and 3 apply to the upright image. A JPEG may be decoded at a half, a quarter or an eighth, but at no less than twice
 * the scaled size.
 */

/** Size to which an image is resized before cropping. */
export function scaledSize({ width, height }: Size, input: InputSpec): Size {
  if ('longestSide' in input) {
    return scaledBy(Math.min(1, input.longestSide / Math.max(width, height)), { width, height })
  }
  const { size, resizeShortSide } = input
  if (resizeShortSide === undefined) return { width: size, height: size }
  return scaledBy(resizeShortSide / Math.min(width, height), { width, height })
}

const scaledBy = (scale: number, { width, height }: Size): Size => ({
  width: Math.max(1, rounded(width * scale)),
  height: Math.max(1, rounded(height * scale)),
})

/** Rounds half to even, as Python does. */
function rounded(value: number): number {
  const floor = Math.floor(value)
  return value - floor === 0.5 ? floor + (floor % 2) : Math.round(value)
}

/** A part of an image. */
export interface Region extends Size {
  left: number
  top: number
}

/**
 * The part of the resized image that the network sees: its centre.
 * @param scaled resized image, in stored orientation
 * @param orientation of the stored image
 */
export function cropOf(
  scaled: Size,
  input: InputSpec,
  { mirroredX, mirroredY }: Pick<Orientation, 'mirroredX' | 'mirroredY'>,
): Region {
  if ('longestSide' in input) return { left: 0, top: 0, ...scaled }
  const { size } = input
  return {
    left: marginOf(scaled.width - size, mirroredX),
    top: marginOf(scaled.height - size, mirroredY),
    width: size,
    height: size,
  }
}

/**
 * Pixels left of or above the centre crop. An odd remainder is rounded half to even, as `int(round((width - size) / 2.0))` in
 * torchvision's CenterCrop.
 * @param isMirrored whether the upright image starts at the other end
 */
function marginOf(rest: number, isMirrored: boolean): number {
  const margin = rounded(rest / 2)
  return isMirrored ? rest - margin : margin
}

/** Bounding box of the regions. */
export function boundingBox(regions: Region[]): Region {
  const left = Math.min(...regions.map((one) => one.left))
  const top = Math.min(...regions.map((one) => one.top))
  const right = Math.max(...regions.map((one) => one.left + one.width))
  const bottom = Math.max(...regions.map((one) => one.top + one.height))
  return { left, top, width: right - left, height: bottom - top }
}
