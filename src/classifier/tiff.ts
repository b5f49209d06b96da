/** A directory of a TIFF file: tags with their values, numbers or text; empty beyond the end of the file. */
export type Directory = Map<number, number[] | string>

/** Tag numbers of TIFF 6.0, its supplements, and DNG. */
export const tag = {
  subfileType: 254,
  bitsPerSample: 258,
  compression: 259,
  photometric: 262,
  make: 271,
  samplesPerPixel: 277,
  planarConfiguration: 284,
  tileWidth: 322,
  subDirectories: 330,
  extraSamples: 338,
  sampleFormat: 339,
  dngVersion: 50706,
} as const

const known = new Set<number>(Object.values(tag))

/** Bytes per value, by type; other types are not needed. */
const typeBytes: Record<number, number> = { 1: 1, 2: 1, 3: 2, 4: 4, 13: 4, 16: 8, 18: 8 }

/** Limits on directories and values per tag: a file of a few bytes can claim millions. */
const maxDirectories = 64
const maxValues = 64

/** First number of a tag. */
export function numberOf(directory: Directory, name: keyof typeof tag, fallback: number): number {
  const value = directory.get(tag[name])
  return typeof value === 'object' ? (value[0] ?? fallback) : fallback
}

/** Numbers of a tag. */
export function numbersOf(directory: Directory, name: keyof typeof tag): number[] {
  const value = directory.get(tag[name])
  return typeof value === 'object' ? value : []
}

/** Reads numbers of a TIFF or BigTIFF file in its byte order. */
class Reader {
  readonly #view: DataView
  readonly #little: boolean
  readonly isBig: boolean

  /** @throws RangeError if the header is incomplete */
  constructor(bytes: Uint8Array) {
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
    this.#little = this.#view.getUint8(0) === 0x49
    this.isBig = this.#view.getUint16(2, this.#little) === 43
  }

  /** @throws RangeError beyond the end */
  number(at: number, bytes: number): number {
    if (bytes === 1) return this.#view.getUint8(at)
    if (bytes === 2) return this.#view.getUint16(at, this.#little)
    if (bytes === 4) return this.#view.getUint32(at, this.#little)
    return Number(this.#view.getBigUint64(at, this.#little))
  }

  get length(): number {
    return this.#view.byteLength
  }

  /** @throws RangeError beyond the end */
  offset(at: number): number {
    return this.number(at, this.isBig ? 8 : 4)
  }
}

/**
 * All directories of a TIFF file, including nested ones, the first image's first. Leaves out those beyond the end of the bytes.
 * @param bytes of a TIFF file
 */
export function tiffDirectories(bytes: Uint8Array): Directory[] {
  const found: Directory[] = []
  try {
    const reader = new Reader(bytes)
    const waiting = [reader.offset(reader.isBig ? 8 : 4)]
    const seen = new Set([0])
    for (let at = waiting.shift(); at !== undefined && found.length < maxDirectories; at = waiting.shift()) {
      if (seen.has(at)) continue
      seen.add(at)
      const { directory, next } = readDirectory(reader, at)
      found.push(directory)
      waiting.push(...numbersOf(directory, 'subDirectories'), next)
    }
  } catch (thrown) {
    if (!(thrown instanceof RangeError)) throw thrown
  }
  return found
}

function readDirectory(reader: Reader, at: number): { directory: Directory; next: number } {
  const [countBytes, entryBytes] = reader.isBig ? [8, 20] : [2, 12]
  const count = Math.min(reader.number(at, countBytes), 4096)
  const directory: Directory = new Map()
  const entries = at + countBytes
  for (let index = 0; index < count; index++) {
    const entry = entries + index * entryBytes
    const name = reader.number(entry, 2)
    const value = known.has(name) ? readValue(reader, entry) : undefined
    if (value !== undefined) directory.set(name, value)
  }
  return { directory, next: reader.offset(entries + count * entryBytes) }
}

function readValue(reader: Reader, entry: number): number[] | string | undefined {
  const type = reader.number(entry + 2, 2)
  const bytes = typeBytes[type]
  if (bytes === undefined) return undefined
  const [field, room] = reader.isBig ? [entry + 12, 8] : [entry + 8, 4]
  const count = reader.offset(entry + 4)
  // Values that do not fit into the entry are stored elsewhere.
  const at = count * bytes > room ? reader.offset(field) : field
  const read = Math.min(count, maxValues)
  if (at + read * bytes > reader.length) return []
  const values = Array.from({ length: read }, (_, i) => reader.number(at + i * bytes, bytes))
  return type === 2 ? String.fromCharCode(...values).replace(/\0.*$/s, '') : values
}
