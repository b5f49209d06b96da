/** Tags of a TIFF directory; undefined tags are omitted. */
export interface TiffOptions {
  width: number
  height: number
  /** Bits per sample; rows are padded to whole bytes. */
  bits: number
  samples: number
  photometric: number
  compression?: number
  sampleFormat?: number
  extraSamples?: number[]
  /** 2: one plane per sample. */
  planar?: number
  /** Red, green and blue in sequence, 16 bits each. */
  palette?: number[]
  subfileType?: number
  make?: string
  dngVersion?: number[]
  /** A directory nested below the first one. */
  below?: Omit<TiffOptions, 'below'> & { data: Buffer }
  bigEndian?: boolean
}

type Entry = [tag: number, type: 'text' | 'byte' | 'short' | 'long', values: number[]]

const types = {
  byte: { code: 1, bytes: 1 },
  text: { code: 2, bytes: 1 },
  short: { code: 3, bytes: 2 },
  long: { code: 4, bytes: 4 },
}

/** Writes a TIFF file with one strip; does not validate the options. */
export function tiff(options: TiffOptions, data: Buffer): Buffer {
  const isBig = options.bigEndian ?? false
  const number = (value: number, bytes: number): Buffer => {
    const buffer = Buffer.alloc(bytes)
    if (isBig) buffer.writeUIntBE(value, 0, bytes)
    else buffer.writeUIntLE(value, 0, bytes)
    return buffer
  }
  const parts: Buffer[] = [Buffer.from(isBig ? 'MM\0*' : 'II*\0', 'latin1'), number(0, 4)]
  let end = 8
  const add = (buffer: Buffer): number => {
    const at = end
    const padded = buffer.length % 2 ? Buffer.concat([buffer, Buffer.alloc(1)]) : buffer
    parts.push(padded)
    end += padded.length
    return at
  }

  function directory({ below, ...one }: TiffOptions, pixels: Buffer): number {
    const strip = add(pixels)
    const entries = entriesOf(one, strip, pixels.length)
    if (below) entries.push([330, 'long', [directory(below, below.data)]])
    entries.sort(([a], [b]) => a - b)
    const fields = entries.map(([tag, type, values]) => {
      const { code, bytes } = types[type]
      const value = Buffer.concat(values.map((one) => number(one, bytes)))
      const field =
        value.length <= 4 ? Buffer.concat([value, Buffer.alloc(4 - value.length)]) : number(add(value), 4)
      return Buffer.concat([number(tag, 2), number(code, 2), number(values.length, 4), field])
    })
    return add(Buffer.concat([number(entries.length, 2), ...fields, number(0, 4)]))
  }

  parts[1] = number(directory(options, data), 4)
  return Buffer.concat(parts)
}

function entriesOf(one: TiffOptions, strip: number, length: number): Entry[] {
  const optional = (tag: number, type: Entry[1], values: number[] | undefined): Entry[] =>
    values ? [[tag, type, values]] : []
  const of = (value: number | undefined, times = 1) =>
    value === undefined ? undefined : Array(times).fill(value)
  const rowBytes = Math.ceil((one.width * one.bits * (one.planar === 2 ? 1 : one.samples)) / 8)
  const planes = one.planar === 2 ? one.samples : 1
  const offsets = Array.from({ length: planes }, (_, plane) => strip + plane * rowBytes * one.height)
  return [
    ...optional(254, 'long', of(one.subfileType)),
    [256, 'long', [one.width]],
    [257, 'long', [one.height]],
    [258, 'short', Array(one.samples).fill(one.bits)],
    [259, 'short', [one.compression ?? 1]],
    [262, 'short', [one.photometric]],
    ...optional(271, 'text', one.make ? [...Buffer.from(`${one.make}\0`)] : undefined),
    [273, 'long', offsets],
    [277, 'short', [one.samples]],
    [278, 'long', [one.height]],
    [279, 'long', Array(planes).fill(length / planes)],
    ...optional(284, 'short', of(one.planar)),
    ...optional(320, 'short', one.palette),
    ...optional(338, 'short', one.extraSamples),
    ...optional(339, 'short', of(one.sampleFormat, one.samples)),
    ...optional(50706, 'byte', one.dngVersion),
  ]
}
