/** How the files of each format begin, in hexadecimal. */
const signatures: [format: string, begins: RegExp][] = [
  ['JPEG', /^ffd8ff/],
  ['PNG', /^89504e470d0a1a0a/],
  ['GIF', /^47494638(37|39)61/],
  // RIFF, a length, WEBP
  ['WebP', /^52494646.{8}57454250/],
  // Of either byte order, BigTIFF as well.
  ['TIFF', /^(4949(2a|2b)00|4d4d00(2a|2b))/],
  // A length, ftyp, and the brand: avif or avis; mif1, msf1, heic, heix, hevc, …
  ['AVIF', /^.{8}6674797061766966|^.{8}6674797061766973/],
  ['HEIF', /^.{8}66747970(6d696631|6d736631|686569|686576)/],
]

/** The format that an object seems to be of by its first bytes, or undefined when it is no image that we know. */
export function formatBySignature(bytes: Uint8Array): string | undefined {
  const head = Buffer.from(bytes.subarray(0, 12)).toString('hex')
  return signatures.find(([, begins]) => begins.test(head))?.[0]
}
