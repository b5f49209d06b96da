import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { crc32, deflateSync } from 'node:zlib'
import sharp, { type SharpOptions } from 'sharp'
import type { SquareInput } from '../../src/model-folder/description'

const root = join(__dirname, '..', '..')

/** Expected labels of the samples in per cent; samples/README.md lists the same. */
const labels: Record<string, [string, number][]> = {
  astronaut: [['football helmet', 17]],
  camera: [['tripod', 94]],
  cat: [
    ['tiger cat', 38],
    ['Egyptian cat', 35],
    ['tabby', 17],
  ],
  coffee: [['espresso', 96]],
  flower: [['daisy', 36]],
  galaxies: [['flatworm', 12]],
  palace: [
    ['palace', 31],
    ['bell cote', 14],
    ['monastery', 8],
  ],
  rocket: [
    ['missile', 30],
    ['projectile', 20],
    ['drilling platform', 9],
  ],
}

export const sampleNames = Object.keys(labels)

/** Top labels of a sample in per cent. */
export const sampleLabels = (name: string): [string, number][] => labels[name] ?? []

/** A photo from samples/. */
export const sample = (name: string): Buffer => readFileSync(join(root, 'samples', `${name}.jpg`))

/** Input of the built-in model. */
export const input: SquareInput = { size: 224, resizeShortSide: 256, kernel: 'cubic', mean: 127, std: 128 }

/** An image of one colour. */
export const plain = (width: number, height: number, background = '#c86432', channels: 3 | 4 = 3) =>
  sharp({ create: { width, height, channels, background }, limitInputPixels: false } as SharpOptions)

/** Mean absolute difference of the pixel values of two images, 0–255. */
export function difference(a: Uint8Array, b: Uint8Array): number {
  expect(a).toHaveLength(b.length)
  return a.reduce((sum, value, index) => sum + Math.abs(value - (b[index] ?? 0)), 0) / a.length
}

/** Mean of each channel. */
export const meanColour = (pixels: Uint8Array): number[] =>
  [0, 1, 2].map((channel) => {
    const values = pixels.filter((_, index) => index % 3 === channel)
    return Math.round(values.reduce((sum, value) => sum + value, 0) / values.length)
  })

export const u16 = (...values: number[]): Buffer =>
  Buffer.from(values.flatMap((value) => [value >> 8, value & 255]))
export const u32 = (...values: number[]): Buffer =>
  Buffer.concat(values.map((value) => u16(Math.floor(value / 65536), value % 65536)))

/** A box of the ISO base media file format, the container of HEIC and AVIF. */
export function box(type: string, ...content: (Buffer | string)[]): Buffer {
  const body = Buffer.concat(content.map((part) => Buffer.from(part)))
  return Buffer.concat([u32(body.length + 8), Buffer.from(type), body])
}
export const fullBox = (type: string, ...content: (Buffer | string)[]): Buffer =>
  box(type, u32(0), ...content)

/** The header of a HEIC photo; sharp can neither decode nor write HEIC. */
export function heic(width: number, height: number): Buffer {
  const hevc = '0103700000000000000000001ef000fcfdf8f800000f00'
  const properties = box('ipco', fullBox('ispe', u32(width, height)), box('hvcC', Buffer.from(hevc, 'hex')))
  return Buffer.concat([
    box('ftyp', 'heic', u32(0), 'mif1heic'),
    fullBox(
      'meta',
      fullBox('hdlr', u32(0), 'pict', Buffer.alloc(13)),
      fullBox('pitm', u16(1)),
      fullBox('iloc', Buffer.from([0x44, 0]), u16(1, 1, 0, 1), u32(0, 4)),
      fullBox('iinf', u16(1), box('infe', u32(0x02000000), u16(1, 0), 'hvc1', '\0')),
      box('iprp', properties, fullBox('ipma', u32(1), u16(1), Buffer.from([2, 1, 0x82]))),
    ),
    box('mdat', u32(0)),
  ])
}

/** A PNG whose header claims the given size, with almost no data behind it. */
export function pngClaiming(width: number, height: number): Buffer {
  const chunk = (type: string, content: Buffer): Buffer => {
    const checked = Buffer.concat([Buffer.from(type), content])
    return Buffer.concat([u32(content.length), checked, u32(crc32(checked))])
  }
  const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a])
  const header = Buffer.concat([u32(width, height), Buffer.from([8, 2, 0, 0, 0])])
  return Buffer.concat([signature, chunk('IHDR', header), chunk('IDAT', deflateSync(Buffer.alloc(1000)))])
}
