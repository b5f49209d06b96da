import { extname } from 'node:path'

/** A name's extension in lower case with its dot, or nothing. */
export const extensionOf = (name: string): string => extname(name).toLowerCase()

/** Maximum size of an image, bytes. A larger file is not a photo, and reading it would not fit into an action. */
export const maxImageBytes = 64 * 1024 * 1024
