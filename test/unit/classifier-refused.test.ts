import sharp from 'sharp'
import { decodeImage } from '../../src/classifier/decode'
import { ImageError } from '../../src/errors'
import { input, plain, pngClaiming, sample } from '../helpers/images'

/** The error of a refused image. */
const refusal = (image: Buffer): Promise<ImageError> =>
  decodeImage(image, input).then(
    () => Promise.reject(new Error('was decoded')),
    (thrown) => thrown as ImageError,
  )

const photo = () => sharp(sample('cat'))

describe('files that are not images are image_unsupported', () => {
  it.each([
    ['text that is called .jpg', Buffer.from('This is not a photo, whatever it is called.\n'.repeat(20))],
    ['a web page', Buffer.from('<!doctype html><title>404</title>')],
    ['an SVG drawing', Buffer.from('<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"></svg>')],
    [
      'an SVG drawing in UTF-16',
      Buffer.from('\ufeff<svg xmlns="http://www.w3.org/2000/svg"></svg>', 'utf16le'),
    ],
    ['a PDF', Buffer.from('%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>')],
    ['a BMP', Buffer.concat([Buffer.from('BM'), Buffer.alloc(200)])],
    ['a zip', Buffer.from('504b0304140000000800', 'hex')],
    ['zeros', Buffer.alloc(1000)],
  ])('%s', async (_, bytes) => {
    const error = await refusal(bytes)
    expect(error).toBeInstanceOf(ImageError)
    expect(error).toMatchObject({ code: 'image_unsupported', retryable: false })
  })
})

describe('JPEG with rare coding is image_unsupported, not corrupt', () => {
  /** The cat sample with a changed frame header. */
  function withFrame(change: (file: Buffer, frame: number) => void): Buffer {
    const file = Buffer.from(sample('cat'))
    change(file, file.indexOf(Buffer.from([0xff, 0xc0])))
    return file
  }

  it.each([
    ['12-bit samples', withFrame((file, frame) => file.writeUInt8(12, frame + 4))],
    ['JPEG-LS coding', withFrame((file, frame) => file.writeUInt8(0xf7, frame + 1))],
  ])('%s', async (what, file) => {
    expect(await refusal(file)).toMatchObject({
      code: 'image_unsupported',
      message: `The object is a JPEG image with ${what}, which cannot be decoded`,
    })
  })
})

it('bytes between the segments of a JPEG are skipped, as decoders do', async () => {
  const file = sample('cat')
  const end = 2 + 2 + file.readUInt16BE(4)
  const strayed = Buffer.concat([file.subarray(0, end), Buffer.from([0, 1, 2]), file.subarray(end)])
  expect(await outcome(strayed)).toBe('decoded')
})

/** The refusal, or `decoded`: some formats tolerate missing last bytes. */
const outcome = (bytes: Buffer): Promise<string> =>
  decodeImage(bytes, input).then(
    () => 'decoded',
    ({ code, message }) => `${code}: ${message}`,
  )

describe('a damaged image is image_corrupt', () => {
  const formats = {
    jpeg: () => photo().jpeg(),
    'progressive jpeg': () => photo().jpeg({ progressive: true }),
    png: () => photo().png(),
    'interlaced png': () => photo().png({ progressive: true }),
    webp: () => photo().webp(),
    gif: () => photo().gif(),
    avif: () => photo().avif({ effort: 0 }),
    tiff: () => photo().tiff({ compression: 'lzw' }),
    // Tables come last: without them libvips returns black pixels and no error.
    'jpeg in tiff': () => photo().tiff({ compression: 'jpeg' }),
  }

  it.each(Object.keys(formats))('%s, truncated anywhere', async (name) => {
    const whole = await formats[name as keyof typeof formats]().toBuffer()
    for (const part of [0.05, 0.3, 0.6, 0.9]) {
      expect(await refusal(whole.subarray(0, Math.round(whole.length * part)))).toMatchObject({
        code: 'image_corrupt',
        retryable: false,
      })
    }
  })

  it.each(['jpeg', 'png', 'progressive jpeg'] as const)('%s, with only unused rows missing', async (name) => {
    const tall = sharp(sample('cat')).resize(300, 900, { fit: 'fill' })
    const whole = await (name === 'png' ? tall.png() : tall.jpeg({ progressive: name !== 'jpeg' })).toBuffer()
    expect((await refusal(whole.subarray(0, Math.round(whole.length * 0.9)))).code).toBe('image_corrupt')
  })

  it('JPEG with a complete thumbnail in EXIF', async () => {
    const thumbnail = await sharp(sample('cat')).resize(40).jpeg().toBuffer()
    const exif = Buffer.concat([Buffer.from('Exif\0\0'), thumbnail])
    const segment = Buffer.concat([
      Buffer.from([0xff, 0xe1, (exif.length + 2) >> 8, (exif.length + 2) & 255]),
      exif,
    ])
    const photo = sample('cat')
    const whole = Buffer.concat([photo.subarray(0, 2), segment, photo.subarray(2)])
    expect(await decodeImage(whole, input)).toMatchObject({ width: 451 })
    expect((await refusal(whole.subarray(0, whole.length - 2))).code).toBe('image_corrupt')
  })

  it('JPEG in TIFF, without its last two bytes', async () => {
    const whole = await formats['jpeg in tiff']().toBuffer()
    expect((await refusal(whole.subarray(0, -2))).code).toBe('image_corrupt')
  })

  it('PNG with a flipped bit', async () => {
    const whole = await photo().png().toBuffer()
    whole[whole.length >> 1] = (whole[whole.length >> 1] ?? 0) ^ 1
    expect((await refusal(whole)).code).toBe('image_corrupt')
  })

  it.each([
    ['JPEG', 'ffd8'],
    ['PNG', '89504e470d0a1a0a'],
    ['GIF', '474946383961'],
    ['TIFF', '49492a00'],
  ])('%s with only its signature', async (_, hex) => {
    expect((await refusal(Buffer.from(hex, 'hex'))).code).toMatch(/image_(corrupt|unsupported)/)
  })

  it('with the same message each time, even when many fail at once', async () => {
    const names = Object.keys(formats) as (keyof typeof formats)[]
    const halves = await Promise.all(
      names.map(async (name) => (await formats[name]().toBuffer()).subarray(0, -200)),
    )
    const all = [...halves, ...halves, Buffer.from('no image'), ...halves]
    const alone: string[] = []
    for (const bytes of all) alone.push(await outcome(bytes))
    expect(await Promise.all(all.map(outcome))).toEqual(alone)
  })

  it('bytes after the end are ignored', async () => {
    const whole = Buffer.concat([sample('cat'), Buffer.alloc(1000, 7)])
    expect(await decodeImage(whole, input)).toMatchObject({ width: 451, height: 300 })
  })
})

it('an empty object is image_empty', async () => {
  expect((await refusal(Buffer.alloc(0))).code).toBe('image_empty')
})

describe('an image that is too large is refused by its header', () => {
  it('a PNG of 37 bytes that claims 60,000×60,000 pixels', async () => {
    expect(await refusal(pngClaiming(60_000, 60_000))).toMatchObject({
      code: 'image_too_large',
      message: 'The image has 60000×60000 pixels, more than the limit of 50 million',
    })
  })

  it('one row above 50 million pixels, but not below', async () => {
    expect((await refusal(pngClaiming(10_000, 5001))).code).toBe('image_too_large')
    expect((await refusal(pngClaiming(10_000, 4999))).code).toBe('image_corrupt')
  })

  it('a small file with all of them', async () => {
    const image = await plain(8000, 8000).png({ compressionLevel: 9, palette: true }).toBuffer()
    expect(image.length).toBeLessThan(100_000)
    expect((await refusal(image)).code).toBe('image_too_large')
  })
})
