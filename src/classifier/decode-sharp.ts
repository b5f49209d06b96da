import pLimit from 'p-limit'
import type sharpModule from 'sharp'
import { ImageError, messageOf } from '../errors'
import { isGuest } from '../guest'
import { checkSize } from './decode-memory'
import { type Inputs, isAllOf, isShared, planFor } from './decode-plan'
import { boundingBox, type Region } from './geometry'
import { type DecodedImage, type InputSpec, maxPixels, type Size } from './image'
import { type Header, plainJpegHeader } from './jpeg-header'
import { orientationOf, turnUpright, uprightSize } from './orientation'
import { corrupt, unsupported } from './refusal'
import { neededOf, resample } from './resample/resample'
import type { Format } from './signature'
import { structureOf } from './structure'
import { tiffDirectories } from './tiff'
import { hasOtherSample, unsupportedOf } from './tiff-support'

/** `isOpaque`: the last sample of a TIFF pixel is not its opacity. */
type OpaqueHeader = Header & { isOpaque: boolean }

/** Photo formats only: other loaders, such as SVG's and PDF's, are a target for hostile files. */
const loaders = ['Jpeg', 'Png', 'Webp', 'Nsgif', 'Heif', 'Tiff'].map((name) => `VipsForeignLoad${name}`)

/** sharp; undefined if its native library is not installed. */
export const sharp: typeof sharpModule | undefined = loadSharp()

function loadSharp(): typeof sharpModule | undefined {
  try {
    const module = require('sharp') as typeof sharpModule
    // The host program may use sharp, too: do not restrict its loaders. For our formats, libvips picks only those above.
    if (isGuest()) return module
    // Each image is seen once, so a cache would only cost memory.
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
 * One image at a time: each thread's allocator keeps its peak memory, and libvips uses a thread per image for decoding and
 * encoding. One image at a time keeps ahead of any network for usual photo sizes.
 */
export const serial = pLimit(1)

/**
 * Decodes JPEG, PNG, WebP, GIF (first frame), AVIF and TIFF (first page) to 8-bit RGB: upright by EXIF, transparency on white; from
 * grey, CMYK and 16 bit, too.
 * @param inputs outputs of the single decode, which is planned for the first
 * @returns one per input; fewer if only the part for the first can be decoded
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
  return serial(async () => {
    const all = inputs as Inputs
    const [first, ...others] = all
    if (others.length === 0) return decode(all)
    // Damage may be outside the part for the first input.
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
  const part = boundingBox(plans.map(({ plan }) => neededOf(plan)))
  const data = await read(open, bytes, header, region, shrunk, part).catch((thrown) => refuse(format, thrown))
  const orientation = orientationOf(header.orientation)
  const { width, height } = header.autoOrient
  return plans.map(({ plan, cut }) => ({
    // Turned after shrinking: sharp's autoOrient would decode the whole image at full size.
    pixels: turnUpright(resample({ ...part, data }, plan, part), cut, orientation),
    ...uprightSize(cut, orientation),
    width,
    height,
    format,
    // Directories of a TIFF file have the layout of EXIF.
    exif: format === 'tiff' ? bytes : header.exif,
    // libvips converts CMYK to sRGB.
    profile: header.space === 'cmyk' ? undefined : header.icc,
    ms: performance.now() - start,
  }))
}

/** Without sharp's own limit, so that our error can state the size. */
const readHeader = (open: typeof sharpModule, bytes: Uint8Array, format: Format): Promise<Header> =>
  open(bytes, { limitInputPixels: false })
    .metadata()
    .catch((thrown) => refuse(format, thrown))

/**
 * @returns whether to drop the last sample of each pixel
 * @throws ImageError `image_unsupported` for TIFF variants that libvips decodes to garbage
 */
function isOpaqueTiff(bytes: Uint8Array): boolean {
  const [directory] = tiffDirectories(bytes)
  if (!directory) return false
  const reason = unsupportedOf(directory)
  if (reason) throw unsupported(`a TIFF image with ${reason}`)
  return hasOtherSample(directory)
}

/** Above this many pixels, a WebP is shrunk by libwebp while decoding, with its own filter: full size takes ten bytes per pixel. */
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
 * Explains why an image was refused. libvips' messages are not used: its threads share one buffer, so they may be about another
 * image.
 */
function refuse(format: Format, thrown: unknown): never {
  const cause = thrown
  if (format === 'tiff' && /beyond the \d+ (cumulated )?byte limit/.test(messageOf(thrown))) {
    throw new ImageError('image_too_large', 'The strips of the TIFF image are too large', { cause })
  }
  throw corrupt(format, cause)
}
