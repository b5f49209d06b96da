import { ImageError } from '../errors'
import { containerMemory } from './container-memory'
import { maxPixels, type Size } from './image'
import type { Header } from './jpeg-header'

/** What a container has in memory anyway: Node.js, a loaded model, files, and what was left by others (`bench:memory`). */
const heldAnyway = 176_000_000

/**
 * How much the decode of one image may take, bytes. The rest of a container's memory is for files that wait, and for what
 * allocators keep.
 * @param limit the container's memory; as a rule its cgroup says
 */
export function decodeBudget(limit: number = containerMemory): number {
  return Math.max(0, Math.floor((limit - heldAnyway) * 0.65))
}

/** What decoding needs to know of a HEIC image beforehand. */
export interface HeicHeader {
  format: 'heic'
  /** Upright, pixels. */
  autoOrient: Size
  /** RGB in 8 bits, with a quarter of the chroma and no transparency, as phones write it. */
  isPlain: boolean
}

/**
 * What libheif takes, its planes and RGB: measured for photos of 12 megapixels 97 MB, with full chroma 138, with 10 bits
 * 136, with transparency 125.
 */
const heicBytes = ({ isPlain, autoOrient: { width, height } }: HeicHeader): number =>
  width * height * (isPlain ? 8 : 11.5) + 10e6

/** Rows that libvips keeps between reading and shrinking, as measured. */
const rowsKept = 1700

/**
 * How much memory sharp takes to decode an image to the model's size, bytes, from its header alone: an upper estimate,
 * but for AVIF with full chroma (233) and TIFF in giant tiles (96), which the header does not tell.
 *
 * Measured with sharp 0.35.5 as the growth of a process's peak RSS, photos of 12 / 48 megapixels, MB:
 *
 *   JPEG 1 / 3; progressive 4:2:0 37 / 147, 4:4:4 73 / 291, CMYK 100 / 392
 *   PNG 20 / 39, 16-bit RGBA 46 / 89; interlaced 50 / 170, RGBA 62 / 220, 16-bit RGBA 124 / 438
 *   WebP 11 / 2, with transparency 19 / 56, lossless 52 / 194; up to 4 megapixels 10 bytes a pixel
 *   GIF 68 / 231, animated 71
 *   AVIF 195 / 736, with transparency 233 / 885, 10-bit 312 / 1185
 *   TIFF 22 / 45, 16-bit 42 / 81, in one compressed strip 40
 */
export function decodeBytes(header: Header | HeicHeader): number {
  if (header.format === 'heic') return heicBytes(header)
  const { format, width, height, channels, isProgressive, hasAlpha } = header
  const pixels = width * height
  const pixelBytes = channels * (header.depth === 'ushort' ? 2 : 1)
  const rows = width * Math.min(height + 8, rowsKept) * pixelBytes
  switch (format) {
    case 'jpeg': {
      // A progressive image's coefficients, two bytes each, are kept until its last scan.
      const coefficients = pixels * (header.chromaSubsampling === '4:2:0' ? 1.5 : channels)
      // Others are shrunk up to eight times as they are read, by libjpeg.
      return isProgressive ? rows + coefficients * 2.1 : rows / 4
    }
    case 'png':
      return rows + (isProgressive ? pixels * pixelBytes : 0)
    case 'webp':
      return pixels * 4 + Math.min(pixels * 8, 30e6)
    case 'gif':
      return pixels * 4.2 + rows
    case 'heif':
      return pixels * ((header.bitsPerSample ?? 8) > 8 ? 26 : hasAlpha ? 19 : 15.6) + 8e6
    default:
      return pixels * pixelBytes * 1.1
  }
}

/** @throws ImageError `image_too_large` when an image has too many pixels, or would not fit the memory that there is */
export function checkSize(header: Header | HeicHeader): void {
  const { width, height } = header.autoOrient
  if (width * height > maxPixels) {
    const limit = `the ${maxPixels / 1e6} million that are decoded`
    const message = `The image has ${width}×${height} pixels, more than ${limit}`
    throw new ImageError('image_too_large', message)
  }
  const memory = decodeBytes(header)
  const budget = decodeBudget()
  if (memory > budget) {
    const format = header.format === 'heif' ? 'avif' : header.format
    const need = `takes ${Math.ceil(memory / 1e6)} MB to decode, more than the ${Math.floor(budget / 1e6)} there are`
    const message = `The image of ${width}×${height} pixels, ${format}, ${need}`
    const hint =
      'Give the action more memory, make the image smaller, or save it as a JPEG that is not progressive.'
    throw new ImageError('image_too_large', message, { hint })
  }
}
