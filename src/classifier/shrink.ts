import type { Region } from './geometry'
import type { Size } from './image'

/** An image that a decoder shrinks as it reads it, before it is resampled. */
export interface Shrunk extends Size {
  /** How large all of it is, in its own pixels: some decoders leave out what is no whole pixel. */
  extent: Size
}

/** Where a side is so many times what is wanted of it, the decoder shrinks it, so that not all pixels are ever in memory. */
const shrunkFrom = 4

/** From twice as much on, libvips averages whole pixels first, which leaves a rest at one end of the image. */
const maxByVips = 3.99

/**
 * What sharp makes of an image while it decodes it. That stays well above the size that `resample` then brings it to, for
 * what libvips does has errors of its own: it moves enlarged images by half a pixel, and clips what overshoots in another
 * order when the image lies on its side.
 * @param wanted the size to which it will be resized
 * @param isJpeg whether libjpeg may decode it at a half, a quarter or an eighth, to no less than twice what is wanted
 */
export function shrunkBy(image: Size, wanted: Size, isJpeg: boolean): Shrunk {
  const factors = { width: image.width / wanted.width, height: image.height / wanted.height }
  const byJpeg = isJpeg ? jpegFactor(Math.min(factors.width, factors.height)) : 1
  const shrink = (side: keyof Size): [size: number, extent: number] => {
    if (factors[side] < shrunkFrom) return [image[side], image[side]]
    // sharp lets libjpeg shrink so much only if it has to shrink by one more.
    const by = isJpeg ? Math.max(factors[side] / 2, byJpeg + 1) : Math.min(factors[side] / 2, maxByVips)
    const size = Math.floor(image[side] / by)
    return [size, (size * image[side]) / (image[side] - (image[side] % byJpeg))]
  }
  const [[width, fullWidth], [height, fullHeight]] = [shrink('width'), shrink('height')]
  return { width, height, extent: { width: fullWidth, height: fullHeight } }
}

const jpegFactor = (factor: number): number => (factor >= 18 ? 8 : factor >= 10 ? 4 : factor >= 6 ? 2 : 1)

/** Of an image more than so many times longer than wide only the middle is read: its rows alone could fill memory. */
const longest = 4

/** @returns the part of a stored image that its centre can be cut out of: all of it but for large panoramas */
export function middleOf({ width, height }: Size, shortSide: number): Region {
  const short = Math.min(width, height)
  const limit = short < shortSide * shrunkFrom ? Number.POSITIVE_INFINITY : short * longest
  // As much is left out at both ends, or the centre would move.
  const within = (side: number): number => (side > limit ? limit + ((side - limit) % 2) : side)
  const size = { width: within(width), height: within(height) }
  return { ...size, left: (width - size.width) / 2, top: (height - size.height) / 2 }
}
