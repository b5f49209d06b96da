import { type Directory, numberOf, numbersOf, tag } from './tiff'

/*
 * Which TIFF files are decoded. libvips reads more without an error, but returns garbage: float samples from 0 to 1 become black,
 * 32-bit samples white.
 */

/** Values of PhotometricInterpretation. */
const colours = {
  whiteIsZero: 0,
  blackIsZero: 1,
  rgb: 2,
  palette: 3,
  cmyk: 5,
  yCbCr: 6,
  cfa: 32803,
  linearRaw: 34892,
}
const otherColours: Record<number, string> = {
  4: 'a transparency mask',
  8: 'CIELAB colours',
  9: 'ICC LAB colours',
  10: 'ITU LAB colours',
  32844: 'LogL luminances',
  32845: 'LogLuv colours',
}

/** Samples per pixel, without transparency, and the supported bits per sample. */
const layouts: Record<number, { samples: number; bits: number[] }> = {
  [colours.whiteIsZero]: { samples: 1, bits: [1, 2, 4, 8, 16] },
  [colours.blackIsZero]: { samples: 1, bits: [1, 2, 4, 8, 16] },
  [colours.rgb]: { samples: 3, bits: [8, 16] },
  [colours.palette]: { samples: 1, bits: [1, 2, 4, 8] },
  [colours.cmyk]: { samples: 4, bits: [8, 16] },
  [colours.yCbCr]: { samples: 3, bits: [8] },
}

const jpeg = 7
/** None, CCITT (three kinds), LZW, JPEG, Deflate (two numbers), PackBits, WebP. */
const compressions = [1, 2, 3, 4, 5, jpeg, 8, 32946, 32773, 50001]
const otherCompressions: Record<number, string> = {
  6: 'JPEG compression of the old kind',
  32809: 'ThunderScan compression',
  33003: 'JPEG 2000 compression',
  33005: 'JPEG 2000 compression',
  34661: 'JBIG compression',
  34676: 'SGI Log compression',
  34677: 'SGI Log compression',
  34712: 'JPEG 2000 compression',
  34887: 'LERC compression',
  34925: 'LZMA compression',
  34933: 'PNG compression',
  34934: 'JPEG XR compression',
  50000: 'Zstandard compression',
  50002: 'JPEG XL compression',
}

/** Nikon, Sony, Pentax, Kodak and Samsung, whose files do not always declare sensor samples. */
const rawCompressions = [34713, 32767, 65535, 65000, 32769, 32770]

const sampleFormats: Record<number, string> = {
  2: 'signed samples',
  3: 'floating-point samples',
  5: 'complex samples',
  6: 'complex samples',
}

/**
 * Detects camera RAW files: NEF, ARW, DNG and others are TIFF files that start with a small preview.
 * @returns the maker; undefined for a TIFF image
 */
export function rawCamera(directories: Directory[]): string | undefined {
  const [first] = directories
  if (!first) return undefined
  const isSensor = (directory: Directory) =>
    [colours.cfa, colours.linearRaw].includes(numberOf(directory, 'photometric', -1)) ||
    rawCompressions.includes(numberOf(directory, 'compression', 1))
  const make = first.get(tag.make)
  const maker = typeof make === 'string' ? make.trim() : ''
  // The sensor's directory may be beyond the bytes read.
  const isThumbnail = numberOf(first, 'subfileType', 0) % 2 === 1 && first.has(tag.subDirectories)
  if (first.has(tag.dngVersion)) return maker ? `DNG, ${maker}` : 'DNG'
  return directories.some(isSensor) || (isThumbnail && maker !== '')
    ? maker || 'of a maker it does not name'
    : undefined
}

/**
 * Why a TIFF image is not decoded.
 * @param directory of the image
 * @returns text for an error message, such as "floating-point samples"; undefined if it can be decoded
 */
export function unsupportedOf(directory: Directory): string | undefined {
  const photometric = numberOf(directory, 'photometric', colours.blackIsZero)
  const layout = layouts[photometric]
  if (!layout) return otherColours[photometric] ?? `colours of the kind ${photometric}`
  const compression = numberOf(directory, 'compression', 1)
  if (!compressions.includes(compression))
    return otherCompressions[compression] ?? `compression ${compression}`
  return (
    unsupportedSamples(directory, layout) ??
    unsupportedPlanes(directory) ??
    (photometric === colours.yCbCr && compression !== jpeg ? 'YCbCr colours without JPEG' : undefined)
  )
}

function unsupportedSamples(directory: Directory, { samples, bits }: { samples: number; bits: number[] }) {
  const depths = numbersOf(directory, 'bitsPerSample')
  const depth = depths[0] ?? (directory.has(tag.bitsPerSample) ? bits[0] : 1)
  const format = numbersOf(directory, 'sampleFormat').map((value) => sampleFormats[value])
  if (format[0]) return `${depth}-bit ${format[0]}`
  if (depths.some((one) => one !== depth)) return 'samples of different depths'
  if (depth !== undefined && !bits.includes(depth)) return `${depth}-bit samples`
  const extra = numberOf(directory, 'samplesPerPixel', 1) - samples
  return extra < 0 || extra > 1 ? `${samples + extra} samples per pixel` : undefined
}

function unsupportedPlanes(directory: Directory): string | undefined {
  const isSeparate = numberOf(directory, 'planarConfiguration', 1) === 2
  return isSeparate && directory.has(tag.tileWidth) ? 'separate planes in tiles' : undefined
}

/** ExtraSamples values for transparency, premultiplied or not. */
const transparencies = [1, 2]

/** Whether the last sample of a pixel is not its transparency. */
export function hasOtherSample(directory: Directory): boolean {
  const { samples = 0 } = layouts[numberOf(directory, 'photometric', colours.blackIsZero)] ?? {}
  const isMore = numberOf(directory, 'samplesPerPixel', 1) > samples
  return isMore && !transparencies.includes(numberOf(directory, 'extraSamples', 0))
}
