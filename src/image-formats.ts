/*
 * The formats of images that can be classified, and the extensions of their files. Imports nothing: the gallery uses it, too.
 */

const formatTable = [
  { format: 'jpeg', type: 'image/jpeg', extensions: ['jpg', 'jpeg', 'jpe', 'jfif'] },
  { format: 'png', type: 'image/png', extensions: ['png'] },
  { format: 'webp', type: 'image/webp', extensions: ['webp'] },
  { format: 'gif', type: 'image/gif', extensions: ['gif'] },
  { format: 'avif', type: 'image/avif', extensions: ['avif'] },
  { format: 'tiff', type: 'image/tiff', extensions: ['tif', 'tiff'] },
  { format: 'heic', type: 'image/heic', extensions: ['heic'] },
  { format: 'heic', type: 'image/heif', extensions: ['heif', 'hif'] },
] as const

export type ImageFormat = (typeof formatTable)[number]['format']

export const imageFormats: ImageFormat[] = [...new Set(formatTable.map(({ format }) => format))]

/** File extensions without the dot. */
export const imageExtensions: string[] = formatTable.flatMap(({ extensions }) => [...extensions])

const entries = new Map(
  formatTable.flatMap((entry) => entry.extensions.map((name) => [name as string, entry])),
)

const extensionOf = (name: string): string => /\.([^./]+)$/.exec(name)?.[1]?.toLowerCase() ?? ''

/** The format that the extension of a name or key stands for, in any case; undefined for any other. */
export const imageFormatOf = (name: string): ImageFormat | undefined => entries.get(extensionOf(name))?.format

/** The content type that the extension of a name or key stands for, in any case; undefined for any other. */
export const imageType = (name: string): string | undefined => entries.get(extensionOf(name))?.type
