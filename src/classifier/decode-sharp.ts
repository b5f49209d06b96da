import type sharpModule from 'sharp'
import { ImageError, messageOf } from '../errors'
import { centre, type DecodedImage, type InputSpec, maxPixels, scaledSize } from './image'

/** Photos only: loaders such as SVG's and PDF's reach code that hostile files like to meet. */
const loaders = ['Jpeg', 'Png', 'Webp', 'Nsgif', 'Heif', 'Tiff'].map((name) => `VipsForeignLoad${name}`)

/** sharp, or undefined where its native library is not installed. */
export const sharp: typeof sharpModule | undefined = loadSharp()

function loadSharp(): typeof sharpModule | undefined {
  try {
    const module = require('sharp') as typeof sharpModule
    // Every image is seen once, so a cache of decoded files would only cost memory.
    module.cache(false)
    module.concurrency(1)
    module.block({ operation: ['VipsForeignLoad'] })
    module.unblock({ operation: loaders })
    return module
  } catch {
    return undefined
  }
}

/**
 * Decodes JPEG, PNG, WebP, GIF (first frame), AVIF and TIFF (first page); upright by EXIF, transparency on white,
 * grey, CMYK and 16-bit brought to 8-bit sRGB.
 */
export async function decodeWithSharp(
  open: typeof sharpModule,
  bytes: Uint8Array,
  input: InputSpec,
): Promise<DecodedImage> {
  // The header is read without sharp's own limit, so that the refusal below can name the image's size.
  const header = await open(bytes, { limitInputPixels: false }).metadata().catch(asImageError)
  const { width, height } = header.autoOrient
  if (width * height > maxPixels) {
    throw new ImageError(
      'image_too_large',
      `The image has ${width}×${height} pixels, more than the ${maxPixels / 1e6} million that are decoded`,
    )
  }
  const scaled = scaledSize({ width, height }, input)
  const pixels = await open(bytes, { limitInputPixels: maxPixels, failOn: 'truncated', sequentialRead: true })
    .autoOrient()
    .resize(scaled.width, scaled.height, { fit: 'fill', kernel: input.kernel })
    .extract({ ...centre(scaled, input.size), width: input.size, height: input.size })
    .flatten({ background: 'white' })
    .toColourspace('srgb')
    .raw({ depth: 'uchar' })
    .toBuffer()
    .catch(asImageError)
  return { pixels, width, height, format: header.format === 'heif' ? 'avif' : header.format }
}

function asImageError(thrown: unknown): never {
  const message = messageOf(thrown)
  if (/unsupported image format|compression format has not been built/i.test(message)) {
    throw new ImageError(
      'image_unsupported',
      'The object is not a JPEG, PNG, WebP, GIF, AVIF or TIFF image',
      {
        cause: thrown,
      },
    )
  }
  throw new ImageError(
    'image_corrupt',
    `The image cannot be decoded: ${message.replace(/^Input \w+ /, '')}`,
    {
      cause: thrown,
    },
  )
}
