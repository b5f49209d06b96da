import { ImageError } from '../errors'
import type { Format, Kind } from './signature'

/** Names of the formats for people. */
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
 * An image that is not decoded.
 * @param name what it is, with its article
 * @param details the package that would decode it, and what to do
 */
export function unsupported(
  name: string,
  { without, hint }: { without?: string; hint?: string } = {},
): ImageError {
  const what = without ? `cannot be decoded without ${without}` : 'cannot be decoded'
  return new ImageError('image_unsupported', `The object is ${name}, which ${what}`, { hint })
}

/** A file that is not decoded. @param kind undefined where nothing tells what it is */
export function refusalOf(kind: Kind | undefined): ImageError {
  if (kind?.isImage) return unsupported(kind.name, kind)
  if (!kind) return new ImageError('image_unsupported', 'The object is of no image format that is known')
  const { name, hint = 'Put the image that it should be in its place.' } = kind
  return new ImageError('image_unsupported', `The object is ${name}, not an image`, { hint })
}

/** An image that is damaged. */
export const corrupt = (format: Format, cause?: unknown): ImageError => {
  const message = `The ${names[format]} image cannot be decoded: it is damaged or incomplete`
  return new ImageError('image_corrupt', message, { cause })
}
