import sharp, { type Sharp } from 'sharp'
import { decodeImage } from '../../src/classifier/decode'
import { difference, input, meanColour, sample } from '../helpers/images'
import { type TiffOptions, tiff } from '../helpers/tiff'

const [width, height] = [300, 260]
const pixels = width * height

/** Samples of all pixels, each with the given values. */
const bytesOf = (...values: number[]): Buffer => Buffer.concat(Array(pixels).fill(Buffer.from(values)))
const words = (...values: number[]): Buffer =>
  bytesOf(...values.flatMap((value) => [value & 255, value >> 8]))

const write = (options: Omit<TiffOptions, 'width' | 'height'>, data: Buffer): Buffer =>
  tiff({ width, height, ...options }, data)

const colourOf = async (file: Buffer) => meanColour((await decodeImage(file, input)).pixels)

/** Rows of packed samples. `value` also fills the padding bits, which must be ignored. */
const rows = (bits: number, value: number): Buffer =>
  Buffer.alloc(Math.ceil((width * bits) / 8) * height, value)

const palette = [...Array(16).fill(200 * 257), ...Array(16).fill(100 * 257), ...Array(16).fill(50 * 257)]

describe('TIFF is decoded correctly', () => {
  it.each<[string, Buffer, number[]]>([
    ['8-bit RGB', write({ bits: 8, samples: 3, photometric: 2 }, bytesOf(200, 100, 50)), [200, 100, 50]],
    [
      '16-bit RGB',
      write({ bits: 16, samples: 3, photometric: 2 }, words(51400, 25700, 12850)),
      [200, 100, 50],
    ],
    [
      'planes of their own',
      write(
        { bits: 8, samples: 3, photometric: 2, planar: 2 },
        Buffer.concat([200, 100, 50].map((value) => Buffer.alloc(pixels, value))),
      ),
      [200, 100, 50],
    ],
    ['8-bit grey', write({ bits: 8, samples: 1, photometric: 1 }, bytesOf(128)), [128, 128, 128]],
    [
      '8-bit grey, white is zero',
      write({ bits: 8, samples: 1, photometric: 0 }, bytesOf(55)),
      [200, 200, 200],
    ],
    ['16-bit grey', write({ bits: 16, samples: 1, photometric: 1 }, words(128 * 257)), [128, 128, 128]],
    ['1-bit, black', write({ bits: 1, samples: 1, photometric: 0 }, rows(1, 0xff)), [0, 0, 0]],
    ['1-bit, white', write({ bits: 1, samples: 1, photometric: 1 }, rows(1, 0xff)), [255, 255, 255]],
    ['4-bit grey', write({ bits: 4, samples: 1, photometric: 1 }, rows(4, 0x88)), [136, 136, 136]],
    [
      'a 4-bit palette',
      write({ bits: 4, samples: 1, photometric: 3, palette }, rows(4, 0x77)),
      [200, 100, 50],
    ],
    [
      'no sample format',
      write({ bits: 8, samples: 1, photometric: 1, sampleFormat: 4 }, bytesOf(9)),
      [9, 9, 9],
    ],
    [
      'transparency, white behind',
      write({ bits: 8, samples: 4, photometric: 2, extraSamples: [2] }, bytesOf(255, 0, 0, 127)),
      [255, 128, 128],
    ],
    [
      'transparency by which colours are multiplied',
      write({ bits: 8, samples: 4, photometric: 2, extraSamples: [1] }, bytesOf(127, 0, 0, 127)),
      [255, 128, 128],
    ],
    [
      'a fourth sample that is no transparency',
      write({ bits: 8, samples: 4, photometric: 2, extraSamples: [0] }, bytesOf(200, 100, 50, 0)),
      [200, 100, 50],
    ],
    [
      'a second sample that nothing is said of',
      write({ bits: 8, samples: 2, photometric: 1 }, bytesOf(128, 0)),
      [128, 128, 128],
    ],
    [
      'CMYK with a selection',
      write({ bits: 8, samples: 5, photometric: 5, extraSamples: [0] }, bytesOf(0, 0, 0, 0, 0)),
      [255, 255, 255],
    ],
  ])('%s', async (_, file, expected) => {
    const colour = await colourOf(file)
    colour.forEach((value, channel) => {
      expect(Math.abs(value - (expected[channel] as number))).toBeLessThanOrEqual(1)
    })
  })

  const photo = () => sharp(sample('cat'))
  it.each<[string, () => Sharp, number]>([
    ['tiles', () => photo().tiff({ compression: 'none', tile: true, tileWidth: 64, tileHeight: 64 }), 0],
    ['LZW with a predictor', () => photo().tiff({ compression: 'lzw', predictor: 'horizontal' }), 0],
    ['Deflate', () => photo().tiff({ compression: 'deflate' }), 0],
    ['PackBits', () => photo().tiff({ compression: 'packbits' }), 0],
    ['JPEG in strips', () => photo().tiff({ compression: 'jpeg', quality: 95 }), 2],
    ['JPEG in tiles', () => photo().tiff({ compression: 'jpeg', quality: 95, tile: true }), 2],
    ['WebP', () => photo().tiff({ compression: 'webp', quality: 95 }), 3],
    ['BigTIFF', () => photo().tiff({ bigtiff: true, compression: 'none' }), 0],
    ['a pyramid', () => photo().tiff({ compression: 'lzw', pyramid: true, tile: true }), 0],
  ])('%s', async (_, make, largest) => {
    const { pixels } = await decodeImage(await make().toBuffer(), input)
    const expected = await decodeImage(sample('cat'), input)
    expect(difference(pixels, expected.pixels)).toBeLessThanOrEqual(largest)
  })
})

describe('or is image_unsupported, with the reason', () => {
  const rgb = { bits: 8, samples: 3, photometric: 2 }
  const grey = { bits: 8, samples: 1, photometric: 1 }
  it.each<[string, Omit<TiffOptions, 'width' | 'height'>]>([
    ['32-bit floating-point samples', { ...grey, bits: 32, sampleFormat: 3 }],
    ['16-bit floating-point samples', { ...rgb, bits: 16, sampleFormat: 3 }],
    ['16-bit signed samples', { ...grey, bits: 16, sampleFormat: 2 }],
    ['64-bit complex samples', { ...grey, bits: 64, sampleFormat: 6 }],
    ['32-bit samples', { ...grey, bits: 32 }],
    ['12-bit samples', { ...rgb, bits: 12 }],
    ['5 samples per pixel', { ...rgb, samples: 5 }],
    ['3 samples per pixel', { ...grey, samples: 3 }],
    ['CIELAB colours', { ...rgb, photometric: 8 }],
    ['YCbCr colours without JPEG', { ...rgb, photometric: 6 }],
    ['colours of the kind 77', { ...rgb, photometric: 77 }],
    ['Zstandard compression', { ...rgb, compression: 50000 }],
    ['LZMA compression', { ...rgb, compression: 34925 }],
    ['JPEG 2000 compression', { ...rgb, compression: 34712 }],
    ['JPEG compression of the old kind', { ...rgb, compression: 6 }],
    ['compression 4711', { ...rgb, compression: 4711 }],
  ])('%s', async (what, options) => {
    const data = Buffer.alloc(Math.ceil((width * options.bits * options.samples) / 8) * height)
    await expect(decodeImage(write(options, data), input)).rejects.toMatchObject({
      code: 'image_unsupported',
      message: `The object is a TIFF image with ${what}, which cannot be decoded`,
    })
  })
})

it('a truncated TIFF image is corrupt, not unsupported', async () => {
  const file = write({ bits: 8, samples: 3, photometric: 2 }, bytesOf(200, 100, 50))
  for (const rest of [8, 9, 100, file.length - 200, file.length - 20]) {
    await expect(decodeImage(file.subarray(0, rest), input)).rejects.toMatchObject({ code: 'image_corrupt' })
  }
})
