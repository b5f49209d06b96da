// biome-ignore-all lint/suspicious/noControlCharactersInRegex: bytes, not characters

import { brandOf } from './brands'
import { tiffDirectories } from './tiff'
import { rawCamera } from './tiff-support'

/** Decoded formats, as named in records. */
export type Format = 'jpeg' | 'png' | 'webp' | 'gif' | 'avif' | 'heic' | 'tiff'

/** Type of a file, identified by its bytes. */
export interface Kind {
  /** With its article: "an HTML page". */
  name: string
  /** Whether it is an image, decoded or not. */
  isImage: boolean
  /** Undefined if it is not decoded. */
  format?: Format
  hint?: string
}

/** Number of leading bytes that identify a file. Only the tags of a TIFF file may be further behind. */
export const signatureBytes = 4096

/** A supported image. */
const decoded = (name: string, format: Format): Kind => ({ name, isImage: true, format })

/** An unsupported image. */
const undecoded = (name: string, hint?: string): Kind => ({
  name,
  isImage: true,
  hint,
})

const raw = (camera: string): Kind =>
  undecoded(
    `a camera's RAW file (${camera})`,
    'Export it as JPEG, or use the JPEG that the camera wrote beside it.',
  )

const other = (name: string, hint?: string): Kind => ({ name, isImage: false, hint })

/** Signatures in latin1, one character per byte. Those with a common start go from specific to general. */
const signatures: [start: RegExp, kind: Kind][] = [
  [/^\xff\xd8\xff/, decoded('a JPEG image', 'jpeg')],
  [/^\x89PNG\r\n\x1a\n/, decoded('a PNG image', 'png')],
  [/^GIF8[79]a/, decoded('a GIF image', 'gif')],
  [/^RIFF....WEBP/s, decoded('a WebP image', 'webp')],
  [/^II[*+]\0.{4}CR\x02/s, raw('Canon CR2')],
  [/^II\*\0.{4}IIII/s, raw('Phase One IIQ')],
  // TIFF and BigTIFF of either byte order.
  [/^(II[*+]\0|MM\0[*+])/, decoded('a TIFF image', 'tiff')],

  [/^BM.{4}\0\0\0\0.{4}[\x0c\x28\x34\x38\x40\x6c\x7c]\0\0\0/s, undecoded('a BMP image')],
  [/^\0\0[\x01\x02]\0[\x01-\xff]\0.{3}\0/s, undecoded('an icon')],
  [/^icns/, undecoded('an icon')],
  [/^(\0\0\0\x0cjP {2}\r\n\x87\n|\xff\x4f\xff\x51)/, undecoded('a JPEG 2000 image')],
  [/^(\0\0\0\x0cJXL \r\n\x87\n|\xff\x0a)/, undecoded('a JPEG XL image')],
  [/^II\xbc[\x00\x01]/, undecoded('a JPEG XR image')],
  [/^8BPS\0[\x01\x02]/, undecoded('a Photoshop document')],
  [/^gimp xcf/, undecoded('a GIMP document')],
  [/^(%!PS|\xc5\xd0\xd3\xc6)/, undecoded('a PostScript file')],
  [/^.{0,1000}%PDF-\d/s, undecoded('a PDF', 'Convert its pages to images, for example with pdftoppm -jpeg.')],
  [/^\x76\x2f\x31\x01/, undecoded('an OpenEXR image')],
  [/^#\?(RADIANCE|RGBE)\n/, undecoded('a Radiance HDR image')],
  [/^DDS \x7c\0\0\0/, undecoded('a DirectDraw texture')],
  [/^qoif.{8}[\x03\x04][\x00\x01]/s, undecoded('a QOI image')],
  [/^P[1-7]\s[\s\d#]/, undecoded('a PNM image')],
  [/^SIMPLE {2}= {20}T/, undecoded('a FITS image')],
  [/^.{128}DICM/s, undecoded('a DICOM image')],
  [/^AT&TFORM....DJV/s, undecoded('a DjVu document')],
  [/^\x01\xda[\x00\x01][\x01\x02]\0[\x01-\x03]/, undecoded('an SGI image')],
  [/^\n[\x00-\x05]\x01[\x01\x02\x04\x08]/, undecoded('a PCX image')],
  [/^(\xd7\xcd\xc6\x9a\0\0|\x01\0\0\0.{36} EMF)/s, undecoded('a Windows metafile')],
  [/^\x8a?[MJ]NG\r\n\x1a\n/, undecoded('an animation (MNG or JNG)')],
  [/^FUJIFILMCCD-RAW/, raw('Fujifilm RAF')],
  [/^(IIR[OS]|MMOR)/, raw('Olympus ORF')],
  [/^IIU\0/, raw('Panasonic RW2')],
  [/^FOVb/, raw('Sigma X3F')],
  [/^\0MRM/, raw('Minolta MRW')],
  [/^II.{4}HEAPCCDR/s, raw('Canon CRW')],

  [
    /^version https:\/\/git-lfs\.github\.com\/spec\//,
    other('a Git LFS pointer', 'Run git lfs pull to fetch the image.'),
  ],
  [/^\0{64}/, other('a run of zero bytes', 'The transfer may have been interrupted: upload it again.')],
  [/^PK(\x03\x04|\x05\x06)/, other('a ZIP archive')],
  [/^(\x1f\x8b|BZh|\xfd7zXZ|\x28\xb5\x2f\xfd|7z\xbc\xaf\x27\x1c|Rar!\x1a)/, other('an archive')],
  [/^.{257}ustar/s, other('an archive')],
  [/^RIFF....(AVI |WAVE)/s, other('a video or sound')],
  [/^(\x1aE\xdf\xa3|OggS|ID3|fLaC|FLV\x01|\0\0\x01[\xba\xb3])/, other('a video or sound')],
  [/^(\x7fELF|MZ.{2}|\xcf\xfa\xed\xfe|\xca\xfe\xba\xbe)/s, other('a program')],
  [/^SQLite format 3\0/, other('a database')],
  [/^\0\x05\x16[\x00\x07]/, other('a resource fork, as macOS writes them beside files')],
  [/^\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1/, other('an Office document')],
]

/** Starts of text files, after a byte order mark and white space. */
const texts: [start: RegExp, kind: Kind][] = [
  // Declarations, comments and a DOCTYPE may come first.
  [/^(<(\?xml|!--|!doctype svg)[^>]*>\s*)*<(\w+:)?svg[\s>]/i, undecoded('an SVG drawing')],
  [
    /^(<!--[^>]*>\s*)*<(!doctype html|html|head|body|title|meta|script)\b/i,
    other('an HTML page', 'A server sent it instead of the image: download the image again.'),
  ],
  [/^(<\?xml|<[a-z]+[\s>/])/i, other('an XML document')],
  [/^[[{]\s*(["\]}[{\d-]|true|false|null)/, other('a JSON document')],
]

/**
 * Identifies a file by its bytes, ignoring its name.
 * @param bytes the file, or its first {@link signatureBytes}
 * @returns undefined if unknown
 */
export function kindOf(bytes: Uint8Array): Kind | undefined {
  const head = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.length, signatureBytes))
  const start = head.toString('latin1')
  const kind =
    signatures.find(([pattern]) => pattern.test(start))?.[1] ?? brandedKind(start) ?? textKind(head)
  if (kind?.format !== 'tiff') return kind
  const camera = rawCamera(tiffDirectories(bytes))
  return camera ? raw(camera) : kind
}

/** Identifies ISO base media files by their brands. */
function brandedKind(start: string): Kind | undefined {
  switch (brandOf(start)) {
    case 'avif':
      return decoded('an AVIF image', 'avif')
    case 'heic':
      return decoded('a HEIC image', 'heic')
    case 'heif':
      return undecoded('a HEIF image of a codec other than HEVC and AV1')
    case 'cr3':
      return raw('Canon CR3')
    case 'video':
      return other('a video or sound')
    default:
      return undefined
  }
}

function textKind(head: Buffer): Kind | undefined {
  const text = textOf(head)?.trimStart()
  if (text === undefined) return undefined
  return texts.find(([pattern]) => pattern.test(text))?.[1] ?? other('text')
}

/** The head as text; undefined if it contains binary data. */
function textOf(head: Buffer): string | undefined {
  const isWide = head[0] === 0xff ? head[1] === 0xfe : head[0] === 0xfe && head[1] === 0xff
  const encoding = !isWide ? 'utf-8' : head[0] === 0xff ? 'utf-16le' : 'utf-16be'
  try {
    // The head may end within a character.
    const text = new TextDecoder(encoding, { fatal: true }).decode(head, { stream: true })
    return /[\0-\x08\x0e-\x1a\x1c-\x1f]/.test(text) ? undefined : text
  } catch {
    return undefined
  }
}
