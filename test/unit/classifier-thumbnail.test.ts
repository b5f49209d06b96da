import sharp, { type Sharp } from 'sharp'
import { decodeForAll, decodeImage } from '../../src/classifier/decode'
import type { InputSpec } from '../../src/classifier/image'
import { encodeThumbnail, smallInput } from '../../src/classifier/thumbnail'
import { heicFixture, heicGrid } from '../helpers/heic'
import { difference, input, meanColour, plain, sample } from '../helpers/images'
import { turnedBy } from '../helpers/turned'

/** The thumbnail of an image, and its pixels. */
async function thumbnailOf(image: Buffer) {
  const [, small] = await decodeForAll(image, [input, smallInput])
  if (!small) throw new Error('There is none')
  const { bytes, ...file } = await encodeThumbnail(small)
  const { data, info } = await sharp(bytes).raw().toBuffer({ resolveWithObject: true })
  expect(info).toMatchObject({ width: file.width, height: file.height, channels: 3 })
  expect(await sharp(bytes).metadata()).toMatchObject({ format: 'webp' })
  return { ...file, bytes, pixels: data }
}

const palace = (width: number, height: number): Sharp =>
  sharp(sample('palace')).resize(width, height, { fit: 'fill' })

/** Reference: resized by sharp, with the colour profile applied. */
const bySharp = (image: Buffer, width: number, height: number): Promise<Buffer> =>
  sharp(image)
    .autoOrient()
    .flatten({ background: 'white' })
    .resize(width, height, { fit: 'fill' })
    .toColourspace('srgb')
    .raw()
    .toBuffer()

describe('a thumbnail shows the whole image', () => {
  it.each([
    ['a photo', 1600, 1200, 320, 240],
    ['a square', 1100, 1100, 320, 320],
    ['a portrait', 900, 1600, 180, 320],
    ['a photo that is small', 120, 90, 120, 90],
    ['a large panorama, of which the model sees the middle', 4200, 1040, 320, 79],
    ['a long panorama', 14_000, 300, 320, 7],
    ['a tower', 1040, 4200, 79, 320],
  ])(
    '%s, %i×%i',
    async (_, width, height, columns, rows) => {
      for (const format of ['jpeg', 'png'] as const) {
        const image = await palace(width, height)
          .toFormat(format, { quality: 92, compressionLevel: 1 })
          .toBuffer()
        const thumbnail = await thumbnailOf(image)
        expect(thumbnail).toMatchObject({ width: columns, height: rows, extension: 'webp' })
        expect(difference(thumbnail.pixels, await bySharp(image, columns, rows))).toBeLessThan(6)
      }
    },
    120_000,
  )

  it.each([1, 2, 3, 4, 5, 6, 7, 8])('upright, for EXIF orientation %i', async (orientation) => {
    const upright = await palace(700, 500).png().toBuffer()
    const stored = await turnedBy(orientation, sharp(upright)).withMetadata({ orientation }).png().toBuffer()
    const { width, height, pixels } = await thumbnailOf(stored)
    expect([width, height]).toEqual([320, 229])
    expect(difference(pixels, await bySharp(upright, width, height))).toBeLessThan(6)
  })

  it('on white, if transparent', async () => {
    const image = await plain(400, 300, '#00000000', 4).png().toBuffer()
    expect(meanColour((await thumbnailOf(image)).pixels)).toEqual([255, 255, 255])
  })

  it('of every format', async () => {
    for (const format of ['webp', 'gif', 'avif', 'tiff'] as const) {
      const image = await palace(640, 480).toFormat(format).toBuffer()
      const { pixels } = await thumbnailOf(image)
      expect(difference(pixels, await bySharp(image, 320, 240))).toBeLessThan(6)
    }
    const { pixels } = await thumbnailOf(heicFixture('cat'))
    expect(difference(pixels, await bySharp(sample('cat'), 320, 213))).toBeLessThan(8)
  })
})

describe('a thumbnail is in sRGB', () => {
  const wide = () => plain(640, 480, '#e06030').withIccProfile('p3')

  it.each([
    ['a JPEG of a phone', () => wide().jpeg({ quality: 95 })],
    [
      'one with EXIF',
      () =>
        wide()
          .withExif({ IFD0: { Make: 'x' } })
          .jpeg({ quality: 95 }),
    ],
    ['a PNG', () => wide().png()],
    ['CMYK', () => plain(640, 480, '#e06030').toColourspace('cmyk').withIccProfile('cmyk').jpeg()],
    ['grey', () => plain(640, 480, '#e06030').toColourspace('b-w').jpeg()],
    ['16 bits', () => plain(640, 480, '#e06030').toColourspace('rgb16').png()],
  ])('%s', async (_, make) => {
    const image = await make().toBuffer()
    const seen = meanColour((await thumbnailOf(image)).pixels)
    const expected = meanColour(await bySharp(image, 320, 240))
    seen.forEach((value, channel) => {
      expect(Math.abs(value - (expected[channel] as number))).toBeLessThanOrEqual(4)
    })
  })

  it('a HEIC photo of a phone', async () => {
    const { icc } = await sharp(await wide().jpeg().toBuffer()).metadata()
    const stored = meanColour((await thumbnailOf(heicGrid(1, 1))).pixels)
    const seen = meanColour((await thumbnailOf(heicGrid(1, 1, 0, icc))).pixels)
    // Applying the profile makes colours more saturated than stored.
    expect((seen[0] as number) - (seen[2] as number)).toBeGreaterThan(
      (stored[0] as number) - (stored[2] as number) + 2,
    )
  })

  it('as stored if its profile is damaged', async () => {
    const image = await wide().jpeg({ quality: 95 }).toBuffer()
    const at = image.indexOf('ICC_PROFILE')
    image.fill(0x41, at + 14 + 128, at + 14 + 300)
    expect(meanColour((await thumbnailOf(image)).pixels)).toEqual(
      meanColour((await decodeImage(image, smallInput)).pixels).map((value) => expect.closeTo(value, -0.7)),
    )
  })
})

describe('the pixels for the model', () => {
  const inputs: [string, InputSpec][] = [
    ['the middle', input],
    ['all, stretched', { size: 224, kernel: 'linear' }],
    ['all, scaled', { longestSide: 512, kernel: 'cubic' }],
  ]
  it.each(inputs)('are the same with and without a thumbnail: %s', async (_, seen) => {
    for (const [width, height] of [
      [1100, 1100],
      [1300, 2600],
      [5000, 1200],
      [90, 120],
    ] as const) {
      const image = await palace(width, height).jpeg().toBuffer()
      const [decoded] = await decodeForAll(image, [seen, smallInput])
      expect(decoded?.pixels).toEqual((await decodeImage(image, seen)).pixels)
    }
  })

  it('exist without a thumbnail if only the rest of the image is damaged', async () => {
    const damaged = await palace(600, 2400).png().toBuffer()
    const at = Math.floor(damaged.length * 0.95)
    damaged.fill(0xff, at, at + 16)
    const whole = await decodeForAll(damaged, [{ size: 224, kernel: 'cubic' }]).catch(() => 'refused')
    expect(whole).toBe('refused')
    const decoded = await decodeForAll(damaged, [input, smallInput])
    expect(decoded).toHaveLength(1)
    expect(decoded[0]?.pixels).toEqual((await decodeImage(damaged, input)).pixels)
  })
})
