import jpeg from 'jpeg-js'
import type { Sharp } from 'sharp'
import { isOther, tiffOf } from './colour-profile'
import { oneByOne, sharp } from './decode-sharp'
import type { DecodedImage, InputSpec, Size } from './image'

/** A thumbnail's pixels: those of the whole image, never enlarged. */
export const smallInput: InputSpec = { longestSide: 320, kernel: 'cubic' }

/** A thumbnail as a file. */
export interface ThumbnailFile extends Size {
  bytes: Buffer
  extension: 'webp' | 'jpg'
  contentType: string
}

/**
 * Measured for 150 photos: effort 0 takes 2.7 ms and 14.0 kB; 1 3.4 and 13.2; 2 4.2 and 11.8; 4, the default, 8.1 and 11.4;
 * JPEG of quality 75 1.2 and 15.1.
 */
const webp = { quality: 70, effort: 0 }

/** Of a quality that looks alike. */
const jpegQuality = 75

/** Makes a thumbnail in sRGB: WebP, or JPEG where sharp is missing. */
export async function encodeThumbnail({
  pixels,
  rows: height,
  columns: width,
  profile,
}: DecodedImage): Promise<ThumbnailFile> {
  const size = { width, height }
  if (!sharp) return { ...size, bytes: asJpeg(pixels, size), extension: 'jpg', contentType: 'image/jpeg' }
  const encode = (image: Sharp) => oneByOne(() => image.webp(webp).toBuffer())
  const plain = sharp(pixels, { raw: { ...size, channels: 3 } })
  const meant = profile && isOther(profile) && sharp(tiffOf({ data: pixels, ...size }, profile))
  // Some profiles are damaged.
  const bytes = meant
    ? await encode(meant.toColourspace('srgb')).catch(() => encode(plain))
    : await encode(plain)
  return { ...size, bytes, extension: 'webp', contentType: 'image/webp' }
}

function asJpeg(pixels: Uint8Array, size: Size): Buffer {
  const data = Buffer.alloc(size.width * size.height * 4)
  for (let from = 0, to = 0; from < pixels.length; from += 3, to += 4) {
    data.set(pixels.subarray(from, from + 3), to)
  }
  return jpeg.encode({ data, ...size }, jpegQuality).data
}
