import { decodeImage } from '../../src/classifier/decode'
import { openHeif } from '../../src/classifier/heif-library'
import { heicFixture, heicGrid } from '../helpers/heic'
import { difference, heic, input, meanColour, sample } from '../helpers/images'

const decode = (bytes: Buffer) => decodeImage(bytes, input)

describe('HEIC is decoded', () => {
  it.each(['cat', 'cat-444'])('%s has the pixels of its photo', async (name) => {
    const { pixels, ...image } = await decode(heicFixture(name))
    expect(image).toMatchObject({ format: 'heic', width: 451, height: 300 })
    expect(difference(pixels, (await decode(sample('cat'))).pixels)).toBeLessThan(3)
  })

  it('10 bits are converted to 8', async () => {
    const { pixels } = await decode(heicFixture('10-bit'))
    const expected = meanColour((await decode(sample('cat'))).pixels)
    meanColour(pixels).forEach((value, channel) => {
      expect(Math.abs(value - (expected[channel] as number))).toBeLessThan(4)
    })
  })

  it('transparency is white', async () => {
    const seen = meanColour((await decode(heicFixture('half-transparent'))).pixels)
    const expected = meanColour((await decode(sample('cat'))).pixels)
    seen.forEach((value, channel) => {
      expect(Math.abs(value - (255 + (expected[channel] as number)) / 2)).toBeLessThan(4)
    })
  })

  it('rotated once, by its own property and not by EXIF again', async () => {
    expect(await decode(heicFixture('turned'))).toMatchObject({ width: 150, height: 226 })
    expect(await decode(heicGrid(3, 2, 0))).toMatchObject({ width: 1356, height: 600 })
    expect(await decode(heicGrid(3, 2, 1))).toMatchObject({ width: 600, height: 1356 })
  })

  it('a tiled photo of 12 megapixels, as phones write it', async () => {
    // The whole image, not only its centre.
    const whole = { ...input, resizeShortSide: undefined }
    const { pixels, ...image } = await decodeImage(heicGrid(9, 10), whole)
    expect(image).toMatchObject({ width: 4068, height: 3000 })
    const tile = meanColour((await decodeImage(heicGrid(1, 1), whole)).pixels)
    meanColour(pixels).forEach((value, channel) => {
      expect(Math.abs(value - (tile[channel] as number))).toBeLessThanOrEqual(1)
    })
  })
})

describe('HEIC is refused', () => {
  it.each([0.02, 0.05, 0.3, 0.6, 0.9, 0.99])('truncated at %d of its length', async (part) => {
    for (const whole of [heicFixture('cat'), heicGrid(3, 2)]) {
      const cut = whole.subarray(0, Math.round(whole.length * part))
      await expect(decode(cut)).rejects.toMatchObject({ code: 'image_corrupt', retryable: false })
    }
  })

  it('with a header but no picture', async () => {
    await expect(decode(heic(4032, 3024))).rejects.toMatchObject({
      code: 'image_corrupt',
      message: expect.stringContaining('HEIC'),
    })
  })

  it('with too many pixels, by its header alone', async () => {
    await expect(decode(heic(10_000, 5001))).rejects.toMatchObject({
      code: 'image_too_large',
      message: expect.stringContaining('10000×5001'),
    })
  })
})

it('each image uses its own memory', () => {
  expect(openHeif()).toBeDefined()
  expect(openHeif()).not.toBe(openHeif())
})
