import { extname } from 'node:path'

/** A name's extension in lower case with its dot, or nothing. */
export const extensionOf = (name: string): string => extname(name).toLowerCase()

/**
 * No larger one is read or taken, bytes: it is no photo, reading it would not fit an action, and a folder's worst one must not
 * decide what memory is needed.
 */
export const maxImageBytes = 64 * 1024 * 1024
