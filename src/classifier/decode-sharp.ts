import pLimit from 'p-limit'
import type sharpModule from 'sharp'
import { ImageError, messageOf } from '../errors'
import { isGuest } from '../guest'
import { checkSize } from './decode-memory'
import { type Inputs, isAllOf, isShared, planFor } from './decode-plan'
import { hull, type Region } from './geometry'
import { type DecodedImage, type InputSpec, maxPixels, type Size } from './image'
import { type Header, plainJpegHeader } from './jpeg-header'
import { orientationOf, turnUpright, uprightSize } from './orientation'
import { corrupt, unsupported } from './refusal'
import { neededOf, resample } from './resample/resample'
import type { Format } from './signature'
import { structureOf } from './structure'
import { tiffDirectories } from './tiff'
import { hasOtherSample, unsupportedOf } from './tiff-support'

/** `isOpaque`: the last sample of a TIFF's pixels is not their opacity. */
type OpaqueHeader = Header & { isOpaque: boolean }

/** Photos only: loaders such as SVG's and PDF's reach code that hostile files like to meet. */
const loaders = ['Jpeg', 'Png', 'Webp', 'Nsgif', 'Heif', 'Tiff'].map((name) => `VipsForeignLoad${name}`)

/** sharp, or undefined where its native library is not installed. */
export const sharp: typeof sharpModule | undefined = loadSharp()

function loadSharp(): typeof sharpModule | undefined {
  try {
    const module = require('sharp') as typeof sharpModule
    // The program may use it, too. Of the formats that we are given to decode, libvips takes none for one of those loaders'.
    if (isGuest()) return module
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
 * image, to decode or to encode it. One keeps ahead of any network on photos of usual size.
 */
export const oneByOne = pLimit(1)

/**
 * Decodes JPEG, PNG, WebP, GIF (first frame), AVIF and TIFF (first page); upright by EXIF, transparency on white,
 * grey, CMYK and 16-bit brought to 8-bit RGB.
 * @param inputs what is made of the one decode, which is that for the first
 * @returns one for each input; fewer where the first can be decoded, but not all of the image
 */
export async function decodeWithSharp(
  open: typeof sharpModule,
  bytes: Uint8Array,
  format: Format,
  inputs: InputSpec[],
): Promise<DecodedImage[]> {
  const isOpaque = format === 'tiff' && isOpaqueTiff(bytes)
  const { unsupported: what, isWhole } = structureOf(bytes, format)
  if (what) throw unsupported(`a JPEG image with ${what}`)
  const header = plainJpegHeader(bytes) ?? (await readHeader(open, bytes, format))
  checkSize(header)
  if (!isWhole) throw corrupt(format)
  const decode = (together: Inputs) => decodeTogether(open, bytes, { ...header, isOpaque }, format, together)
  return oneByOne(async () => {
    const all = inputs as Inputs
    const [first, ...others] = all
    if (others.length === 0) return decode(all)
    // What is damaged may lie outside the part that the first needs.
    if (isShared(header, first)) return decode(all).catch(() => decode([first]))
    const images = await decode([first])
    for (const other of others) images.push(...(await decode([other]).catch(() => [])))
    return images
  })
}

async function decodeTogether(
  open: typeof sharpModule,
  bytes: Uint8Array,
  header: OpaqueHeader,
  format: Format,
  inputs: Inputs,
): Promise<DecodedImage[]> {
  const start = performance.now()
  const { region, shrunk, plans } = planFor(header, inputs)
  const part = hull(plans.map(({ plan }) => neededOf(plan)))
  const data = await read(open, bytes, header, region, shrunk, part).catch((thrown) => refuse(format, thrown))
  const orientation = orientationOf(header.orientation)
  const { width, height } = header.autoOrient
  return plans.map(({ plan, cut }) => ({
    // Turned when it is small: sharp's own autoOrient decodes the whole image at full size.
    pixels: turnUpright(resample({ ...part, data }, plan, part), cut, orientation),
    ...uprightSize(cut, orientation),
    width,
    height,
    format,
    // The directories of a TIFF file are laid out as those of EXIF.
    exif: format === 'tiff' ? bytes : header.exif,
    // libvips makes sRGB of CMYK.
    profile: header.space === 'cmyk' ? undefined : header.icc,
    ms: performance.now() - start,
  }))
}

/** Without sharp's own limit, so that the refusal can name the image's size. */
const readHeader = (open: typeof sharpModule, bytes: Uint8Array, format: Format): Promise<Header> =>
  open(bytes, { limitInputPixels: false })
    .metadata()
    .catch((thrown) => refuse(format, thrown))

/**
 * @returns whether the last sample of its pixels is to be left out
 * @throws ImageError `image_unsupported` for what libvips would make no picture of
 */
function isOpaqueTiff(bytes: Uint8Array): boolean {
  const [directory] = tiffDirectories(bytes)
  if (!directory) return false
  const reason = unsupportedOf(directory)
  if (reason) throw unsupported(`a TIFF image with ${reason}`)
  return hasOtherSample(directory)
}

/** Of more pixels libwebp shrinks a WebP as it decodes it, with a filter of its own: all of them would take ten bytes each. */
const largeWebp = 4_000_000

/** @returns RGB pixels of a part of the shrunk region */
function read(
  open: typeof sharpModule,
  bytes: Uint8Array,
  { format, hasAlpha, isOpaque, space, ...header }: OpaqueHeader,
  region: Region,
  shrunk: Size,
  part: Region,
): Promise<Buffer> {
  const image = open(bytes, {
    limitInputPixels: maxPixels,
    failOn: 'error',
    sequentialRead: true,
    ignoreIcc: space !== 'cmyk',
  })
  if (!isAllOf(header, region)) image.extract(region)
  if (isOpaque) image.removeAlpha()
  else if (hasAlpha) image.flatten({ background: 'white' })
  if (shrunk.width < region.width || shrunk.height < region.height) {
    const options = {
      fit: 'fill',
      kernel: 'lanczos3',
      fastShrinkOnLoad: format === 'jpeg' || header.width * header.height > largeWebp,
    } as const
    image.resize(shrunk.width, shrunk.height, options)
  }
  return image.extract(part).toColourspace('srgb').raw({ depth: 'uchar' }).toBuffer()
}

/**
 * Says why an image was refused. The words of libvips are left out and not believed: its threads write them into one
 * buffer, where the failure of another image may stand.
 */
function refuse(format: Format, thrown: unknown): never {
  const cause = thrown
  if (format === 'tiff' && /beyond the \d+ (cumulated )?byte limit/.test(messageOf(thrown))) {
    throw new ImageError('image_too_large', 'The strips of the TIFF image are too large', { cause })
  }
  throw corrupt(format, cause)
}
