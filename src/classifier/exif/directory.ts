/** Type and position of a tag's value in its block. */
interface Entry {
  type: number
  count: number
  at: number
}

/** Maximum number of entries read; cameras write fewer than a hundred. */
const maxEntries = 512

/** Maximum number of bytes read of a text. */
const maxTextBytes = 128

const [ascii, short, long, rational, utf8] = [2, 3, 4, 5, 129]
const bytesOf = new Map([
  [ascii, 1],
  [short, 2],
  [long, 4],
  [rational, 8],
  [utf8, 1],
])

/**
 * A directory of an EXIF block. Blocks are untrusted: a value outside the block, or of another type than requested, is undefined,
 * and no more of a value is read than requested.
 */
export class Directory {
  readonly #entries = new Map<number, Entry>()

  private constructor(
    private readonly view: DataView,
    private readonly isLittleEndian: boolean,
    offset: number,
  ) {
    if (offset + 2 > view.byteLength) return
    const count = Math.min(view.getUint16(offset, isLittleEndian), maxEntries)
    for (let at = offset + 2; at + 12 <= view.byteLength && at < offset + 2 + count * 12; at += 12)
      this.#add(at)
  }

  /** First directory of a block in TIFF layout, with or without the prefix used in JPEG. */
  static first(block: Uint8Array): Directory | undefined {
    const begins = Buffer.from(block.buffer, block.byteOffset, Math.min(block.length, 6)).toString('latin1')
    const start = begins.startsWith('Exif\0') ? 6 : 0
    const view = new DataView(block.buffer, block.byteOffset + start, Math.max(0, block.length - start))
    if (view.byteLength < 8) return undefined
    const order = view.getUint16(0)
    const isLittleEndian = order === 0x4949
    if (!isLittleEndian && order !== 0x4d4d) return undefined
    if (view.getUint16(2, isLittleEndian) !== 42) return undefined
    return new Directory(view, isLittleEndian, view.getUint32(4, isLittleEndian))
  }

  #add(at: number): void {
    const { view, isLittleEndian } = this
    const type = view.getUint16(at + 2, isLittleEndian)
    const count = view.getUint32(at + 4, isLittleEndian)
    const bytes = (bytesOf.get(type) ?? 0) * count
    // Values that do not fit into the entry are stored elsewhere.
    const value = bytes > 4 ? view.getUint32(at + 8, isLittleEndian) : at + 8
    if (bytes > 0 && value + bytes <= view.byteLength)
      this.#entries.set(view.getUint16(at, isLittleEndian), { type, count, at: value })
  }

  /** The directory that a tag points to. */
  directory(tag: number): Directory | undefined {
    const offset = this.integer(tag)
    return offset === undefined ? undefined : new Directory(this.view, this.isLittleEndian, offset)
  }

  integer(tag: number): number | undefined {
    const { type, at } = this.#entries.get(tag) ?? {}
    if (at === undefined) return undefined
    if (type === short) return this.view.getUint16(at, this.isLittleEndian)
    return type === long ? this.view.getUint32(at, this.isLittleEndian) : undefined
  }

  /** Text up to its first zero, without control characters and outer spaces; undefined if empty. */
  text(tag: number): string | undefined {
    const { type, at = 0, count = 0 } = this.#entries.get(tag) ?? {}
    if (type !== ascii && type !== utf8) return undefined
    const { buffer, byteOffset } = this.view
    const text = Buffer.from(buffer, byteOffset + at, Math.min(count, maxTextBytes)).toString('utf8')
    return (
      text
        .replace(/\0.*$/s, '')
        .replace(/[\p{Cc}\uFFFD]/gu, '')
        .replace(/\s+/g, ' ')
        .trim() || undefined
    )
  }

  /** Reads `wanted` rationals; those with denominator 0 are not finite. */
  rationals(tag: number, wanted: number): number[] | undefined {
    const { type, at = 0, count = 0 } = this.#entries.get(tag) ?? {}
    if (type !== rational || count < wanted) return undefined
    return Array.from({ length: wanted }, (_, index) => {
      const [numerator, denominator] = [0, 4].map((part) =>
        this.view.getUint32(at + index * 8 + part, this.isLittleEndian),
      )
      return (numerator ?? 0) / (denominator ?? 0)
    })
  }
}
