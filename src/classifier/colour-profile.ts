import type { RgbImage } from './image'

/*
 * Models get pixels as stored, without colour management. A thumbnail is converted to sRGB using the image's ICC profile; without
 * that, photos of phones would look pale.
 */

/** Profile descriptions are ASCII, or UTF-16 of either byte order. */
const srgbNames = ['sRGB', 's\0R\0G\0B'].map((name) => Buffer.from(name, 'latin1'))

/** Whether a profile is for RGB and does not call itself sRGB. */
export function isOther(profile: Uint8Array): boolean {
  const bytes = Buffer.from(profile.buffer, profile.byteOffset, profile.length)
  const isRgb = bytes.toString('latin1', 16, 20) === 'RGB '
  return isRgb && !srgbNames.some((name) => bytes.includes(name))
}

const [short, long, opaque] = [3, 4, 7]
const directoryAt = 8
const depthsAt = directoryAt + 2 + 11 * 12 + 4
const profileAt = depthsAt + 6

/** Builds an uncompressed TIFF file: sharp accepts pixels with a profile only as a file. */
export function tiffOf({ width, height, data }: RgbImage, profile: Uint8Array): Buffer {
  const pixelsAt = profileAt + profile.length + (profile.length % 2)
  const entries = [
    { tag: 256, type: long, count: 1, value: width },
    { tag: 257, type: long, count: 1, value: height },
    // Bits per sample; uncompressed; RGB.
    { tag: 258, type: short, count: 3, value: depthsAt },
    { tag: 259, type: short, count: 1, value: 1 },
    { tag: 262, type: short, count: 1, value: 2 },
    // A single strip.
    { tag: 273, type: long, count: 1, value: pixelsAt },
    { tag: 277, type: short, count: 1, value: 3 },
    { tag: 278, type: long, count: 1, value: height },
    { tag: 279, type: long, count: 1, value: data.length },
    // Interleaved samples.
    { tag: 284, type: short, count: 1, value: 1 },
    { tag: 34675, type: opaque, count: profile.length, value: profileAt },
  ]
  const head = Buffer.alloc(pixelsAt)
  head.write('II*\0', 'latin1')
  head.writeUInt32LE(directoryAt, 4)
  head.writeUInt16LE(entries.length, directoryAt)
  entries.forEach(({ tag, type, count, value }, index) => {
    const at = directoryAt + 2 + index * 12
    head.writeUInt16LE(tag, at)
    head.writeUInt16LE(type, at + 2)
    head.writeUInt32LE(count, at + 4)
    head.writeUInt32LE(value, at + 8)
  })
  for (let sample = 0; sample < 3; sample++) head.writeUInt16LE(8, depthsAt + sample * 2)
  head.set(profile, profileAt)
  return Buffer.concat([head, data])
}
