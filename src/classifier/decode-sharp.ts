import pLimit from 'p-limit'
import type sharpModule from 'sharp'
import type { Metadata } from 'sharp'
import { ImageError, messageOf } from '../errors'
import { decodeBudget, decodeBytes } from './decode-memory'
import { cutOf, type Region, scaledSize } from './geometry'
import { type DecodedImage, type InputSpec, maxPixels, type Size } from './image'
import { orientationOf, turnUpright, uprightSize } from './orientation'
import { resample } from './resample/resample'
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
  const { pixels, cut, ms } = await oneByOne(async () => {
    const start = performance.now()
    const found = await pixelsOf(open, bytes, header, input)
    return { ...found, ms: performance.now() - start }
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

/** The pixels the network sees, as they are stored. */
async function pixelsOf(
  open: typeof sharpModule,
  bytes: Uint8Array,
  header: Metadata,
  input: InputSpec,
): Promise<{ pixels: Uint8Array; cut: Size }> {
  const region = middle(header, input)
  const scaled = scaledSize(region, input)
  const orientation = orientationOf(header.orientation)
  const cut = cutOf(scaled, input, orientation)
  const isWhole = region.width === header.width && region.height === header.height
  const { shrunk, extent } = shrinkOf(region, scaled, header.format === 'jpeg' && isWhole)
  const image = open(bytes, {
    limitInputPixels: maxPixels,
    failOn: 'error',
    sequentialRead: true,
    ignoreIcc: header.space !== 'cmyk',
  })
  if (!isWhole) image.extract(region)
  if (header.hasAlpha) image.flatten({ background: 'white' })
  if (shrunk.width < region.width || shrunk.height < region.height)
    image.resize(shrunk.width, shrunk.height, {
      fit: 'fill',
      fastShrinkOnLoad: header.format === 'jpeg',
      kernel: 'lanczos3',
    })
  const data = await image.toColourspace('srgb').raw({ depth: 'uchar' }).toBuffer()
  const columnsFirst = orientation.swapped
  const resizing = { scaled, region: cut, kernel: input.kernel, extent, columnsFirst }
  return { pixels: resample({ ...shrunk, data }, resizing), cut }
}

/**
 * What sharp shrinks an image to as it decodes it, so that not all of its pixels are ever in memory. It is left well above
 * the size that {@link resample} brings it to: what libvips would do has errors of its own. It moves enlarged images by
 * half a pixel, and clips what overshoots in another order when the image lies on its side.
 */
function shrinkOf(region: Size, scaled: Size, isJpeg: boolean): { shrunk: Size; extent: Size } {
  const factors = { width: region.width / scaled.width, height: region.height / scaled.height }
  const least = Math.min(factors.width, factors.height)
  const whole = isJpeg ? jpegShrink(least) : 1
  const shrunk = { width: region.width, height: region.height }
  const extent = { ...region }
  for (const side of ['width', 'height'] as const) {
    if (factors[side] < 4) continue
    shrunk[side] = Math.floor(
      region[side] / (isJpeg ? Math.max(factors[side] / 2, whole + 1) : Math.min(factors[side] / 2, 3.99)),
    )
    extent[side] = (shrunk[side] * region[side]) / (region[side] - (region[side] % whole))
  }
  return { shrunk, extent }
}

const jpegShrink = (factor: number): number => (factor >= 16 ? 8 : factor >= 8 ? 4 : factor >= 4 ? 2 : 1)

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
function middle({ width, height }: Metadata, input: InputSpec): Region {
  const limit = 'resizeShortSide' in input ? Math.min(width, height) * longest : Number.POSITIVE_INFINITY
  // As much is left out at both ends, or the centre would move.
  const within = (side: number): number => (side > limit ? limit + ((side - limit) % 2) : side)
  const size = { width: within(width), height: within(height) }
  return { ...size, left: (width - size.width) / 2, top: (height - size.height) / 2 }
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
