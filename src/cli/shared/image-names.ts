import { extname } from 'node:path'
import { note, type OutputOptions, plural, printable } from './output'

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

/** How many there are of each. */
export type Tally = Map<string, number>

export const countIn = (tally: Tally, of: string): void => void tally.set(of, (tally.get(of) ?? 0) + 1)

/** Counts a file by its extension. */
export const countName = (tally: Tally, name: string): void =>
  countIn(tally, extensionOf(name) || 'without an extension')

const totalOf = (tally: Tally): number => [...tally.values()].reduce((sum, count) => sum + count, 0)

/** So many kinds are named. */
const mostNamed = 8

/** `3 .bmp, 2 .nef`: the most frequent first. */
function describeTally(tally: Tally): string {
  const kinds = [...tally].sort(([a, more], [b, fewer]) => fewer - more || (a < b ? -1 : 1))
  const named = kinds.slice(0, mostNamed).map(([of, count]) => `${count} ${of}`)
  const others = kinds.slice(mostNamed).reduce((sum, [, count]) => sum + count, 0)
  return [...named, ...(others > 0 ? [`${others} others`] : [])].join(', ')
}

/**
 * Reports the files that were found and skipped.
 * @param undecoded images, which count as failed: said even where notes are not wanted
 */
export function reportSkipped(undecoded: Tally, others: Tally, options: OutputOptions): void {
  const images = totalOf(undecoded)
  if (images > 0) {
    const are = images === 1 ? 'is in a format' : 'are in formats'
    const text = `${plural(images, 'file')} ${are} that cannot be classified: ${describeTally(undecoded)}`
    note(printable(text), { quiet: options.json && options.quiet })
  }
  if (others.size === 0) return
  const count = totalOf(others)
  const what = `Skipped ${plural(count, 'file')} that ${count === 1 ? 'is no image' : 'are no images'}`
  note(printable(`${what}: ${describeTally(others)}`), options)
}
