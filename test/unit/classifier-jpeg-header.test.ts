import fc from 'fast-check'
import sharp from 'sharp'
import { plainJpegHeader } from '../../src/classifier/jpeg-header'
import { plain, sample, sampleNames } from '../helpers/images'

const comparedFields = ['format', 'width', 'height', 'channels', 'space', 'autoOrient', 'icc'] as const

/** The same fields as read by libvips. */
async function byVips(bytes: Buffer): Promise<object> {
  const header = await sharp(bytes).metadata()
  return Object.fromEntries(comparedFields.map((name) => [name, header[name]]))
}

const photo = () => plain(31, 17, '#c86432')

describe('the header of a plain JPEG', () => {
  it.each([
    ['4:2:0', () => photo().jpeg()],
    ['4:4:4', () => photo().jpeg({ chromaSubsampling: '4:4:4' })],
    ['grey', () => photo().toColourspace('b-w').jpeg()],
    ['a colour profile', () => photo().withIccProfile('p3').jpeg()],
    ['restarts, optimized tables', () => photo().jpeg({ optimiseCoding: true, quality: 100 })],
  ])('equals that of libvips, %s', async (_, make) => {
    const bytes = await make().toBuffer()
    expect(plainJpegHeader(bytes)).toEqual(await byVips(bytes))
  })

  it('equals that of libvips for the samples', async () => {
    for (const name of sampleNames) {
      const header = plainJpegHeader(sample(name))
      if (header) expect(header).toEqual(await byVips(sample(name)))
    }
  })

  it.each([
    ['progressive', () => photo().jpeg({ progressive: true })],
    ['CMYK', () => photo().toColourspace('cmyk').jpeg()],
    ['with EXIF', () => photo().withMetadata({ orientation: 6 }).jpeg()],
    ['PNG', () => photo().png()],
  ])('is left to libvips, %s', async (_, make) => {
    expect(plainJpegHeader(await make().toBuffer())).toBeUndefined()
  })

  it('is left to libvips for colours in separate scans, which take more memory', async () => {
    const bytes = await photo().jpeg().toBuffer()
    const scan = bytes.indexOf(Buffer.from([0xff, 0xda, 0x00, 0x0c, 0x03]))
    expect(scan).toBeGreaterThan(0)
    bytes[scan + 4] = 1
    expect(plainJpegHeader(bytes)).toBeUndefined()
  })

  it('is left to libvips if it is truncated or damaged', async () => {
    const bytes = await photo().jpeg().toBuffer()
    const scan = bytes.indexOf(Buffer.from([0xff, 0xda]))
    for (let length = 0; length < scan; length++)
      expect(plainJpegHeader(bytes.subarray(0, length))).toBeUndefined()
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), fc.nat(scan), (noise, at) => {
        // Must terminate without throwing.
        plainJpegHeader(Buffer.concat([bytes.subarray(0, at), noise]))
      }),
    )
  })
})
