import type { Region } from './geometry'
import type { Size } from './image'

/** Size of an image after shrinking in the decoder, before resampling. */
export interface Shrunk extends Size {
  /** Size of the whole image in its own pixels: some decoders drop fractions of a pixel. */
  extent: Size
}

/** From this factor on, the decoder shrinks the image, so that not all pixels are in memory. */
const minShrink = 4

/** From twice this factor, libvips averages whole pixels first, which drops a remainder at one end. */
const maxByVips = 3.99

/**
 * How far sharp shrinks an image while decoding. It stays well above the size for `resample`, because libvips resamples inexactly:
 * it shifts enlarged images by half a pixel, and clips overshoots in a different order when an image is rotated.
 * @param wanted final size
 * @param isJpeg whether libjpeg may decode at a half, a quarter or an eighth, but no less than twice the final size
 */
export function shrunkBy(image: Size, wanted: Size, isJpeg: boolean): Shrunk {
  const factors = { width: image.width / wanted.width, height: image.height / wanted.height }
  const byJpeg = isJpeg ? jpegFactor(Math.min(factors.width, factors.height)) : 1
  const shrink = (side: keyof Size): [size: number, extent: number] => {
    if (factors[side] < minShrink) return [image[side], image[side]]
    // sharp lets libjpeg shrink this much only if the total factor is larger by one.
    const by = isJpeg ? Math.max(factors[side] / 2, byJpeg + 1) : Math.min(factors[side] / 2, maxByVips)
    const size = Math.floor(image[side] / by)
    return [size, (size * image[side]) / (image[side] - (image[side] % byJpeg))]
  }
  const [[width, fullWidth], [height, fullHeight]] = [shrink('width'), shrink('height')]
  return { width, height, extent: { width: fullWidth, height: fullHeight } }
}

const jpegFactor = (factor: number): number => (factor >= 18 ? 8 : factor >= 10 ? 4 : factor >= 6 ? 2 : 1)

/** Of an image more elongated than this, only the middle is read: a single row could fill the memory. */
const maxAspect = 4

/** @returns the part of a stored image needed for its centre: everything, except for large panoramas */
export function centreOf({ width, height }: Size, shortSide: number): Region {
  const short = Math.min(width, height)
  const limit = short < shortSide * minShrink ? Number.POSITIVE_INFINITY : short * maxAspect
  // Cut the same amount at both ends, or the centre would move.
  const within = (side: number): number => (side > limit ? limit + ((side - limit) % 2) : side)
  const size = { width: within(width), height: within(height) }
  return { ...size, left: (width - size.width) / 2, top: (height - size.height) / 2 }
}
