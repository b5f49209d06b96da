import { extensionOf } from '../../image-files'
import { imageType } from '../../image-formats'

/** Extensions of image formats that are not decoded. */
const undecoded = new Set(
  [
    'bmp dib ico cur icns jp2 j2k jpf jpx jxl jxr wdp hdp svg svgz psd psb xcf pdf eps ps ai',
    'tga pcx ppm pgm pbm pnm pfm exr hdr dds qoi dcm djvu wmf emf',
    // Camera RAW formats.
    'nef nrw cr2 cr3 crw arw srf sr2 dng orf rw2 raw raf pef srw x3f 3fr iiq erf kdc dcr mrw mef mos rwl gpr fff',
  ]
    .join(' ')
    .split(' ')
    .map((extension) => `.${extension}`),
)

export const isImageName = (name: string): boolean => imageType(name) !== undefined

/** Whether the extension is that of an image format that is not decoded. */
export const isUndecodedName = (name: string): boolean => undecoded.has(extensionOf(name))
