import sharp from 'sharp'
import { classifyImage } from '../../src/classifier/classify'
import { decodeImage } from '../../src/classifier/decode'
import { type LoadedModel, loadModel } from '../../src/classifier/load'
import { difference, input, meanColour, plain, sample } from '../helpers/images'
import { turnedBy } from '../helpers/turned'

let model: LoadedModel
beforeAll(async () => {
  model = await loadModel('efficientnet-lite0', 'wasm')
})

const pixelsOf = async (image: Buffer): Promise<Uint8Array> => (await decodeImage(image, input)).pixels
const photo = () => sharp(sample('cat'))

describe('every format gives the same result', () => {
  // Maximum mean difference from the original's pixels: 0 for lossless formats.
  it.each([
    ['jpeg', () => photo().jpeg({ quality: 95 }), 2],
    ['png', () => photo().png(), 0],
    ['webp', () => photo().webp({ quality: 95 }), 2],
    ['webp', () => photo().webp({ lossless: true }), 0],
    ['gif', () => photo().gif(), 6],
    ['avif', () => photo().avif({ quality: 90, effort: 0 }), 2],
    ['tiff', () => photo().tiff({ compression: 'lzw' }), 0],
  ])('%s', async (format, make, largest) => {
    const image = await make().toBuffer()
    const classified = await classifyImage(model, image)
    expect(classified).toMatchObject({ format, width: 451, height: 300 })
    expect(classified.labels[0]?.label).toMatch(/cat$/)
    expect(difference(await pixelsOf(image), await pixelsOf(sample('cat')))).toBeLessThanOrEqual(largest)
  })
})

describe('every kind of pixel becomes 8-bit sRGB', () => {
  const orange = '#c86432'
  const seeThrough = () => plain(300, 260, 'rgba(255, 0, 0, 0.5)', 4)

  it.each([
    ['RGB', () => plain(300, 260, orange).png(), [200, 100, 50]],
    ['16-bit RGB', () => plain(300, 260, orange).toColourspace('rgb16').png(), [200, 100, 50]],
    ['a palette', () => plain(300, 260, orange).png({ palette: true }), [200, 100, 50]],
    ['interlaced', () => plain(300, 260, orange).png({ progressive: true }), [200, 100, 50]],
    ['grey', () => plain(300, 260, '#808080').toColourspace('b-w').png(), [128, 128, 128]],
    ['16-bit grey', () => plain(300, 260, '#808080').toColourspace('grey16').png(), [128, 128, 128]],
    ['black and white', () => plain(300, 260, '#fff').threshold().png({ colours: 2 }), [255, 255, 255]],
    ['RGBA, white behind', () => seeThrough().png(), [255, 127, 127]],
    ['16-bit RGBA, white behind', () => seeThrough().toColourspace('rgb16').png(), [255, 127, 127]],
    ['WebP with alpha, white behind', () => seeThrough().webp({ lossless: true }), [255, 127, 127]],
    ['nothing to be seen, white', () => plain(300, 260, 'rgba(9, 9, 9, 0)', 4).png(), [255, 255, 255]],
    [
      'grey with alpha, white behind',
      () => plain(300, 260, 'rgba(0, 0, 0, 0.5)', 4).toColourspace('b-w').png(),
      [127, 127, 127],
    ],
  ])('%s', async (_, make, expected) => {
    const image = await make().toBuffer()
    meanColour(await pixelsOf(image)).forEach((value, channel) => {
      expect(Math.abs(value - (expected[channel] ?? 0))).toBeLessThanOrEqual(1)
    })
  })

  it.each([
    ['a progressive JPEG', () => photo().jpeg({ quality: 95, progressive: true })],
    ['a CMYK JPEG', () => photo().toColourspace('cmyk').jpeg({ quality: 95 })],
    ['a palette PNG', () => photo().png({ palette: true })],
    ['a 16-bit PNG', () => photo().toColourspace('rgb16').png()],
    ['a JPEG with a wide colour space', () => photo().withIccProfile('p3').jpeg({ quality: 95 })],
  ])('%s is recognized as the same photo', async (_, make) => {
    const { labels } = await classifyImage(model, await make().toBuffer())
    expect(labels[0]?.label).toMatch(/cat$/)
  })

  it('a grey JPEG has three equal channels', async () => {
    const pixels = await pixelsOf(await photo().toColourspace('b-w').jpeg().toBuffer())
    expect(pixels.every((value, index) => value === pixels[index - (index % 3)])).toBe(true)
  })
})

describe('a photo is upright whichever way the camera was held', () => {
  /** Scales to 341×255, so that cropping to 224 leaves an odd margin on both axes. */
  const odd = { ...input, resizeShortSide: 255 }
  const upright = () => sharp(sample('palace')).resize(401, 300, { fit: 'fill' })

  it.each([1, 2, 3, 4, 5, 6, 7, 8])('EXIF orientation %i', async (orientation) => {
    const stored = await turnedBy(orientation, upright()).png().toBuffer()
    const tagged = await sharp(stored).withMetadata({ orientation }).png().toBuffer()
    // Reference: sharp rotates the whole photo at full size. Rounding the odd margin to the wrong side would give a
    // difference of 5 or more.
    const reference = await sharp(tagged).autoOrient().png().toBuffer()
    expect(await sharp(reference).metadata()).toMatchObject({ width: 401, height: 300 })
    const decoded = await decodeImage(tagged, odd)
    expect(decoded).toMatchObject({ width: 401, height: 300 })
    expect(difference(decoded.pixels, (await decodeImage(reference, odd)).pixels)).toBeLessThan(0.5)
  })

  it.each([0, 9, 4711])('invalid orientation %i counts as upright', async (orientation) => {
    const photo = await sharp(sample('palace')).withMetadata({ orientation: 8 }).jpeg().toBuffer()
    const tag = photo.indexOf(Buffer.from('12010300010000000800', 'hex'))
    expect(tag).toBeGreaterThan(0)
    photo.writeUInt16LE(orientation, tag + 8)
    expect(await decodeImage(photo, input)).toMatchObject({ width: 640, height: 427 })
  })
})

describe('every size is resized to the network’s square', () => {
  it.each([
    [1, 1],
    [2, 1],
    [224, 224],
    [256, 256],
    [257, 255],
    [3, 5000],
    [5000, 3],
    [1, 65_000],
    [65_000, 1],
    // Scaling by the short side would exceed the 32-bit dimensions of image libraries.
    [1, 20_000_000],
  ])('%i×%i', async (width, height) => {
    const decoded = await decodeImage(await plain(width, height).png().toBuffer(), input)
    expect(decoded).toMatchObject({ width, height })
    expect(decoded.pixels).toHaveLength(224 * 224 * 3)
    expect(meanColour(decoded.pixels)).toEqual([200, 100, 50])
  })

  it.each([
    ['wide', 6000, 300],
    ['tall', 300, 6000],
  ])('a %s panorama is cropped to the middle', async (_, width, height) => {
    const side = 300
    const spot = await plain(side, side, '#00f').png().toBuffer()
    const panorama = await plain(width, height, '#fff')
      .composite([{ input: spot }])
      .png()
      .toBuffer()
    expect(meanColour(await pixelsOf(panorama))).toEqual([0, 0, 255])
  })

  it('other sizes and kernels are supported', async () => {
    const wanted = { ...input, size: 32, resizeShortSide: 40, kernel: 'linear' } as const
    expect((await decodeImage(sample('cat'), wanted)).pixels).toHaveLength(32 * 32 * 3)
  })
})

describe('animations use the first frame', () => {
  const frames = ['#f00', '#0f0', '#00f'].map((colour) => plain(300, 260, colour).png().toBuffer())

  it.each(['gif', 'webp'] as const)('%s', async (format) => {
    const moving = await sharp(await Promise.all(frames), { join: { animated: true } })
      .toFormat(format, { lossless: true })
      .toBuffer()
    expect(await sharp(moving).metadata()).toMatchObject({ pages: 3 })
    const decoded = await decodeImage(moving, input)
    expect(decoded).toMatchObject({ width: 300, height: 260, format })
    expect(meanColour(decoded.pixels)).toEqual([255, 0, 0])
  })
})
