import { ImageError } from '../errors'
import { containerMemory } from './container-memory'
import { maxPixels, type Size } from './image'
import type { Header } from './jpeg-header'

/** Baseline memory of a container: Node.js, a loaded model, files, garbage (`bench:memory`). */
const baseline = 176_000_000

/**
 * Memory that decoding one image may use, bytes. The rest is for queued files and allocator overhead.
 * @param limit memory of the container; default: its cgroup limit
 */
export function decodeBudget(limit: number = containerMemory): number {
  return Math.max(0, Math.floor((limit - baseline) * 0.65))
}

/** Properties of a HEIC image needed before decoding. */
export interface HeicHeader {
  format: 'heic'
  /** Upright, pixels. */
  autoOrient: Size
  /** 8-bit 4:2:0 without transparency, as written by phones. */
  isPlain: boolean
}

/**
 * Memory of libheif, its planes and RGB. Measured for 12 megapixels: 97 MB; 138 with 4:4:4; 136 with 10 bits; 125 with
 * transparency.
 */
const heicBytes = ({ isPlain, autoOrient: { width, height } }: HeicHeader): number =>
  width * height * (isPlain ? 8 : 11.5) + 10e6

/** Rows that libvips keeps between reading and shrinking, measured. */
const rowsKept = 1700

/**
 * Memory that sharp needs to decode an image to the model's size, bytes, from its header alone. An upper bound, except for AVIF
 * 4:4:4 (233) and TIFF with giant tiles (96), which the header does not tell.
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
      // All coefficients of a progressive image, two bytes each, are kept until its last scan.
      const coefficients = pixels * (header.chromaSubsampling === '4:2:0' ? 1.5 : channels)
      // libjpeg shrinks others up to eight times while reading.
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

/** @throws ImageError `image_too_large` if an image has too many pixels or would not fit into memory */
export function checkSize(header: Header | HeicHeader): void {
  const { width, height } = header.autoOrient
  if (width * height > maxPixels) {
    const limit = `the limit of ${maxPixels / 1e6} million`
    const message = `The image has ${width}×${height} pixels, more than ${limit}`
    throw new ImageError('image_too_large', message)
  }
  const memory = decodeBytes(header)
  const budget = decodeBudget()
  if (memory > budget) {
    const format = header.format === 'heif' ? 'avif' : header.format
    const need = `needs ${Math.ceil(memory / 1e6)} MB to decode, but only ${Math.floor(budget / 1e6)} are available`
    const message = `The image of ${width}×${height} pixels, ${format}, ${need}`
    const hint = 'Increase the memory limit of the action, shrink the image, or save it as a baseline JPEG.'
    throw new ImageError('image_too_large', message, { hint })
  }
}
