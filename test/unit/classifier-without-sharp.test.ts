import type sharpModule from 'sharp'
import { classifyImage } from '../../src/classifier/classify'
import { decodeForAll, decodeImage } from '../../src/classifier/decode'
import { decodeWithSharp } from '../../src/classifier/decode-sharp'
import { readExif } from '../../src/classifier/exif/exif'
import type { DecodedImage } from '../../src/classifier/image'
import { type LoadedModel, loadModel } from '../../src/classifier/load'
import { encodeThumbnail, smallInput } from '../../src/classifier/thumbnail'
import { difference, input, pngClaiming, sample, sampleLabels, sampleNames } from '../helpers/images'

// As `require` fails on a platform without a sharp binary.
jest.mock('sharp', () => {
  throw new Error('Could not load the "sharp" module')
})
jest.mock('../helpers/images', () => {
  jest.doMock('sharp', () => jest.requireActual('sharp'))
  return jest.requireActual('../helpers/images')
})
const sharp = jest.requireActual<typeof sharpModule>('sharp')

let model: LoadedModel
beforeAll(async () => {
  model = await loadModel('efficientnet-lite0', 'wasm')
})

async function bySharp(photo: Buffer): Promise<DecodedImage> {
  const [decoded] = await decodeWithSharp(sharp, photo, 'jpeg', [input])
  return decoded as DecodedImage
}

/** A JPEG whose header claims the given size. */
function claiming(width: number, height: number): Buffer {
  const jpeg = Buffer.from(sample('cat'))
  const frame = jpeg.indexOf(Buffer.from([0xff, 0xc0]))
  jpeg.writeUInt16BE(height, frame + 5)
  jpeg.writeUInt16BE(width, frame + 7)
  return jpeg
}

describe('without sharp, JPEG is decoded in JavaScript', () => {
  it.each(sampleNames)('the top label of %s is the same', async (name) => {
    const { labels } = await classifyImage(model, sample(name))
    expect(labels[0]?.label).toBe(sampleLabels(name)[0]?.[0])
  })

  it.each(sampleNames)('the pixels of %s are nearly the same', async (name) => {
    const expected = await bySharp(sample(name))
    const decoded = await decodeImage(sample(name), input)
    // sharp keeps the `Exif` identifier in front of the EXIF block.
    const isWhole = { pixels: [], ms: 0, exif: undefined, profile: undefined }
    expect({ ...decoded, ...isWhole }).toEqual({ ...expected, ...isWhole })
    expect(readExif(decoded.exif, true)).toEqual(readExif(expected.exif, true))
    expect(difference(decoded.pixels, expected.pixels)).toBeLessThan(3)
  })

  it('a thumbnail is a JPEG', async () => {
    const photo = await sharp(sample('palace')).withMetadata({ orientation: 6 }).jpeg().toBuffer()
    const [, small] = await decodeForAll(photo, [input, smallInput])
    const { bytes, ...file } = await encodeThumbnail(small as DecodedImage)
    const { data, info } = await sharp(bytes).raw().toBuffer({ resolveWithObject: true })
    expect(file).toEqual({
      width: info.width,
      height: info.height,
      extension: 'jpg',
      contentType: 'image/jpeg',
    })
    expect(Math.max(info.width, info.height)).toBe(320)
    const expected = await sharp(photo).autoOrient().resize(info.width, info.height).raw().toBuffer()
    expect(difference(data, expected)).toBeLessThan(10)
  })

  it.each([1, 2, 3, 4, 5, 6, 7, 8])('EXIF orientation %i is turned upright', async (orientation) => {
    const photo = await sharp(sample('palace')).withMetadata({ orientation }).jpeg().toBuffer()
    const expected = await bySharp(photo)
    const { pixels, width, height } = await decodeImage(photo, input)
    expect([width, height]).toEqual([expected.width, expected.height])
    expect(difference(pixels, expected.pixels)).toBeLessThan(3)
  })

  it.each([
    ['progressive', () => sharp(sample('cat')).jpeg({ progressive: true })],
    ['grey', () => sharp(sample('cat')).toColourspace('b-w').jpeg()],
    ['one pixel', () => sharp(sample('cat')).resize(1, 1).jpeg()],
    ['very tall', () => sharp(sample('cat')).resize(3, 5000, { fit: 'fill' }).jpeg()],
  ])('%s images too', async (_, make) => {
    const photo = await make().toBuffer()
    const expected = await bySharp(photo)
    expect(difference((await decodeImage(photo, input)).pixels, expected.pixels)).toBeLessThan(3)
  })

  it('other formats are refused with a hint to install sharp', async () => {
    const png = await sharp(sample('cat')).png().toBuffer()
    await expect(decodeImage(png, input)).rejects.toMatchObject({
      code: 'image_unsupported',
      hint: expect.stringContaining('npm install sharp'),
    })
    await expect(decodeImage(pngClaiming(60_000, 60_000), input)).rejects.toMatchObject({
      code: 'image_unsupported',
    })
  })

  it.each([0.02, 0.5, 0.9, 0.99])('a photo truncated at %d of its length is refused', async (part) => {
    const whole = sample('cat')
    const cut = whole.subarray(0, Math.round(whole.length * part))
    await expect(decodeImage(cut, input)).rejects.toMatchObject({ code: 'image_corrupt' })
  })

  it('an empty object is refused', async () => {
    await expect(decodeImage(Buffer.alloc(0), input)).rejects.toMatchObject({ code: 'image_empty' })
  })

  it.each([
    [60_000, 60_000],
    [4100, 3100],
  ])('a photo of %i×%i is refused by its header, immediately', async (width, height) => {
    const before = process.memoryUsage.rss()
    await expect(decodeImage(claiming(width, height), input)).rejects.toMatchObject({
      code: 'image_too_large',
    })
    expect(process.memoryUsage.rss() - before).toBeLessThan(50e6)
  })

  it('a photo that needs more memory than estimated from its size is refused', async () => {
    const photo = await sharp(sample('palace'))
      .resize(4000, 3000)
      .jpeg({ chromaSubsampling: '4:4:4' })
      .toBuffer()
    await expect(decodeImage(photo, input)).rejects.toMatchObject({
      code: 'image_too_large',
      hint: expect.stringContaining('megapixels'),
    })
  })
})
