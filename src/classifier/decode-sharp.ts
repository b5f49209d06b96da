import pLimit from 'p-limit'
import type sharpModule from 'sharp'
import type { Metadata } from 'sharp'
import { ImageError, messageOf } from '../errors'
import { decodeBudget, decodeBytes } from './decode-memory'
import { cutOf, type DecodedImage, type InputSpec, maxPixels, type Size, scaledSize } from './image'
import { orientationOf, turnUpright, uprightSize } from './orientation'
import { formatBySignature } from './signature'

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
 * One image after the other: a thread's memory allocator keeps what it once had, and libvips takes a thread for each
 * image. One keeps ahead of any network on photos of usual size.
 */
const oneByOne = pLimit(1)

/**
 * Decodes JPEG, PNG, WebP, GIF (first frame), AVIF and TIFF (first page); upright by EXIF, transparency on white,
 * grey, CMYK and 16-bit brought to 8-bit sRGB.
 */
export async function decodeWithSharp(
  open: typeof sharpModule,
  bytes: Uint8Array,
  input: InputSpec,
): Promise<DecodedImage> {
  // The header is read without sharp's own limit, so that the refusal can name the image's size.
  const header = await open(bytes, { limitInputPixels: false })
    .metadata()
    .catch((thrown) => refuse(bytes, thrown))
  const memory = decodeBytes(header)
  checkHeader(header, memory)
  const orientation = orientationOf(header.orientation)
  const region = middle(header, input)
  const scaled = scaledSize(region, input)
  const cut = cutOf(scaled, input, orientation)
  const { pixels, ms } = await oneByOne(async () => {
    const start = performance.now()
    const image = open(bytes, { limitInputPixels: maxPixels, failOn: 'error', sequentialRead: true })
    if (region.width < header.width || region.height < header.height) image.extract(region)
    if (header.hasAlpha) image.flatten({ background: 'white' })
    const pixels = await image
      .resize(scaled.width, scaled.height, { fit: 'fill', kernel: input.kernel })
      .extract(cut)
      .toColourspace('srgb')
      .raw({ depth: 'uchar' })
      .toBuffer()
    return { pixels, ms: performance.now() - start }
  }).catch((thrown) => refuse(bytes, thrown))
  const { width, height } = header.autoOrient
  return {
    // Turned when it is small: sharp's own autoOrient decodes the whole image at full size.
    pixels: turnUpright(pixels, cut, orientation),
    ...uprightSize(cut, orientation),
    width,
    height,
    format: formatOf(header),
    ms,
  }
}

const formatOf = ({ format }: Metadata): string => (format === 'heif' ? 'avif' : format)

function checkHeader(header: Metadata, memory: number): void {
  const { width, height } = header.autoOrient
  if (header.compression === 'hevc') {
    const hint = 'Convert it to JPEG, as phones do when they share a photo.'
    throw new ImageError('image_unsupported', 'The object is a HEIC image, which cannot be decoded', { hint })
  }
  if (width * height > maxPixels) {
    const limit = `the ${maxPixels / 1e6} million that are decoded`
    const message = `The image has ${width}×${height} pixels, more than ${limit}`
    throw new ImageError('image_too_large', message)
  }
  const budget = decodeBudget()
  if (memory > budget) {
    const need = `takes ${Math.ceil(memory / 1e6)} MB to decode, more than the ${Math.floor(budget / 1e6)} there are`
    const message = `The image of ${width}×${height} pixels, ${formatOf(header)}, ${need}`
    const hint =
      'Give the action more memory, make the image smaller, or save it as a JPEG that is not progressive.'
    throw new ImageError('image_too_large', message, { hint })
  }
}

/** Of an image more than so many times longer than wide only the middle is read: its rows alone could fill memory. */
const longest = 4

/** @returns the part of the stored image that is resized; all of it but for panoramas whose ends are cut off anyway */
function middle({ width, height, format }: Metadata, input: InputSpec): Size & { left: number; top: number } {
  // WebP's sides are limited, and it is shrunk while it is read only when it is read whole.
  const isWhole = format === 'webp' || !('resizeShortSide' in input)
  const limit = isWhole ? Number.POSITIVE_INFINITY : Math.min(width, height) * longest
  const size = { width: Math.min(width, limit), height: Math.min(height, limit) }
  return { ...size, left: (width - size.width) >> 1, top: (height - size.height) >> 1 }
}

/**
 * Says why an image was refused. The words of libvips are left out and not believed: its threads write them into one
 * buffer, where the failure of another image may stand.
 */
function refuse(bytes: Uint8Array, thrown: unknown): never {
  const cause = thrown
  const format = formatBySignature(bytes)
  if (format === undefined) {
    const known = 'JPEG, PNG, WebP, GIF, AVIF or TIFF'
    throw new ImageError('image_unsupported', `The object is not a ${known} image`, { cause })
  }
  if (format === 'TIFF' && /beyond the \d+ (cumulated )?byte limit/.test(messageOf(thrown))) {
    throw new ImageError('image_too_large', 'The strips of the TIFF image are too large', { cause })
  }
  throw new ImageError(
    'image_corrupt',
    `The ${format} image cannot be decoded: it is damaged or incomplete`,
    { cause },
  )
}
