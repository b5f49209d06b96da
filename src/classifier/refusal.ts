import { ImageError } from '../errors'
import type { Format, Kind } from './signature'

/** Display names of formats. */
const names: Record<Format, string> = {
  jpeg: 'JPEG',
  png: 'PNG',
  webp: 'WebP',
  gif: 'GIF',
  avif: 'AVIF',
  heic: 'HEIC',
  tiff: 'TIFF',
}

/**
 * The error for an unsupported image.
 * @param name of the format, with its article
 * @param details missing package, and hint
 */
export function unsupported(
  name: string,
  { without, hint }: { without?: string; hint?: string } = {},
): ImageError {
  const what = without ? `cannot be decoded without ${without}` : 'cannot be decoded'
  return new ImageError('image_unsupported', `The object is ${name}, which ${what}`, { hint })
}

/** The error for a file that is not decoded. @param kind undefined if unknown */
export function refusalOf(kind: Kind | undefined): ImageError {
  if (kind?.isImage) return unsupported(kind.name, kind)
  if (!kind) return new ImageError('image_unsupported', 'The object has an unknown format')
  const { name, hint = 'Replace it with the image.' } = kind
  return new ImageError('image_unsupported', `The object is ${name}, not an image`, { hint })
}

/** The error for a damaged image. */
export const corrupt = (format: Format, cause?: unknown): ImageError => {
  const message = `The ${names[format]} image cannot be decoded: it is damaged or incomplete`
  return new ImageError('image_corrupt', message, { cause })
}
