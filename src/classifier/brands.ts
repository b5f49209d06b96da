/** Content of an ISO base media file. */
export type Brand = 'avif' | 'heic' | 'heif' | 'cr3' | 'video'

/** Brands in order of precedence: a file lists several. */
const brands: [brand: Brand, names: RegExp][] = [
  ['cr3', /^crx $/],
  ['avif', /^avi[fs]$/],
  ['heic', /^(he[iv][cxms]|hev[ms])$/],
  ['heif', /^(mif[12]|msf1|heif|jpeg|j2ki|avci|vvic|evbi)$/],
]

/**
 * Reads the `ftyp` box, the first in such a file: a length, "ftyp", the major brand, a version, and the compatible brands. AVIF
 * and HEIC images may have their own major brand, or the general "mif1".
 * @param begins start of a file, one character per byte
 * @returns undefined without such a box
 */
export function brandOf(begins: string): Brand | undefined {
  if (/^.{4}(moov|mdat|wide)/s.test(begins)) return 'video'
  if (!/^\0.{3}ftyp.{4}/s.test(begins)) return undefined
  const length = Buffer.from(begins.slice(0, 4), 'latin1').readUInt32BE()
  const compatible = begins.slice(16, length).match(/.{4}/gs) ?? []
  const names = [begins.slice(8, 12), ...compatible]
  return brands.find(([, pattern]) => names.some((name) => pattern.test(name)))?.[0] ?? 'video'
}
