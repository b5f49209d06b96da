import { extname } from 'node:path'

/** Content types of what can be classified, by file extension. */
const imageTypes: Record<string, string> = {
  '.jpg': 'image/jpeg',
  '.jpeg': 'image/jpeg',
  '.jpe': 'image/jpeg',
  '.jfif': 'image/jpeg',
  '.png': 'image/png',
  '.webp': 'image/webp',
  '.gif': 'image/gif',
  '.avif': 'image/avif',
  '.heic': 'image/heic',
  '.heif': 'image/heif',
  '.hif': 'image/heif',
  '.tif': 'image/tiff',
  '.tiff': 'image/tiff',
}

/** A name's extension in lower case with its dot, or nothing. */
export const extensionOf = (name: string): string => extname(name).toLowerCase()

/** The content type of an image by its name's extension, in any case; undefined for anything else. */
export const imageType = (name: string): string | undefined => imageTypes[extensionOf(name)]

/**
 * No larger one is read or taken, bytes: it is no photo, reading it would not fit an action, and a folder's worst one must not
 * decide what memory is needed.
 */
export const maxImageBytes = 64 * 1024 * 1024
