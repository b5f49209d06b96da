import type { InputSpec, Size } from './image'
import type { Orientation } from './orientation'

/*
 * What `input` of a model's whisklens.json says about pixels, for every decoder. The samples are those of Pillow and
 * torchvision, with which networks are trained and evaluated:
 *
 *   1. Colour: 8-bit RGB as it is stored, grey three times; transparency on white. Colour profiles are not applied,
 *      except to CMYK.
 *   2. Resize to scaledSize by `kernel`: `cubic` is Catmull–Rom's (a = −½), stretched by the factor when shrinking, so that
 *      fine detail does not alias. Pixel i of n lies at (i + ½) / n of the side. See resample.ts.
 *   3. Crop to cutOf.
 *   4. Scale by `mean` and `std`: preprocess.ts.
 *
 * Steps 2 and 3 are of the upright image. A JPEG may be decoded at a half, a quarter or an eighth, to no less than twice
 * the scaled size.
 */

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
  width: Math.max(1, rounded(width * scale)),
  height: Math.max(1, rounded(height * scale)),
})

/** Half goes to the even neighbour, as in Python. */
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
 * What of the resized image the network sees: its centre, where there is more.
 * @param scaled the resized image as it is stored
 * @param orientation how it is turned upright
 */
export function cutOf(
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
 * The pixels left of or above the centre. Of an odd number the half is rounded to the even neighbour, as Python's
 * `int(round((width - size) / 2.0))` does in torchvision's CenterCrop.
 * @param isMirrored whether the upright image begins at the other end
 */
function marginOf(rest: number, isMirrored: boolean): number {
  const margin = rounded(rest / 2)
  return isMirrored ? rest - margin : margin
}

/** The smallest region that all of them lie in. */
export function hull(regions: Region[]): Region {
  const left = Math.min(...regions.map((one) => one.left))
  const top = Math.min(...regions.map((one) => one.top))
  const right = Math.max(...regions.map((one) => one.left + one.width))
  const bottom = Math.max(...regions.map((one) => one.top + one.height))
  return { left, top, width: right - left, height: bottom - top }
}
