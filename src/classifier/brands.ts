/** What a file of the ISO base media format holds. */
export type Brand = 'avif' | 'heic' | 'heif' | 'cr3' | 'video'

/** Brands in the order in which they decide: one file names several. */
const brands: [brand: Brand, names: RegExp][] = [
  ['cr3', /^crx $/],
  ['avif', /^avi[fs]$/],
  ['heic', /^(he[iv][cxms]|hev[ms])$/],
  ['heif', /^(mif[12]|msf1|heif|jpeg|j2ki|avci|vvic|evbi)$/],
]

/**
 * The brand by the `ftyp` box, the first of such a file: a length, "ftyp", the major brand, a version, and the brands it is
 * compatible with. AVIF and HEIC images may have either as their major brand, or the general "mif1".
 * @param begins the beginning of a file, each character a byte
 * @returns undefined when it begins with no such box
 */
export function brandOf(begins: string): Brand | undefined {
  if (/^.{4}(moov|mdat|wide)/s.test(begins)) return 'video'
  if (!/^\0.{3}ftyp.{4}/s.test(begins)) return undefined
  const length = Buffer.from(begins.slice(0, 4), 'latin1').readUInt32BE()
  const compatible = begins.slice(16, length).match(/.{4}/gs) ?? []
  const names = [begins.slice(8, 12), ...compatible]
  return brands.find(([, pattern]) => names.some((name) => pattern.test(name)))?.[0] ?? 'video'
}
