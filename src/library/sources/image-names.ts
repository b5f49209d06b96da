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

/** Extensions of images that are not decoded. */
const undecoded = new Set(
  [
    'bmp dib ico cur icns jp2 j2k jpf jpx jxl jxr wdp hdp svg svgz psd psb xcf pdf eps ps ai',
    'tga pcx ppm pgm pbm pnm pfm exr hdr dds qoi dcm djvu wmf emf',
    // Cameras' RAW files.
    'nef nrw cr2 cr3 crw arw srf sr2 dng orf rw2 raw raf pef srw x3f 3fr iiq erf kdc dcr mrw mef mos rwl gpr fff',
  ]
    .join(' ')
    .split(' ')
    .map((extension) => `.${extension}`),
)

/** A name's extension in lower case with its dot, or nothing. */
export const extensionOf = (name: string): string => extname(name).toLowerCase()

/** The content type of an image by its name's extension, in any case; undefined for anything else. */
export const imageType = (name: string): string | undefined => imageTypes[extensionOf(name)]

export const isImageName = (name: string): boolean => imageType(name) !== undefined

/** Whether a name's extension is that of an image, but of a format that is not decoded. */
export const isUndecodedName = (name: string): boolean => undecoded.has(extensionOf(name))
