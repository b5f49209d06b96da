import fc from 'fast-check'
import sharp from 'sharp'
import { decodeImage } from '../../src/classifier/decode'
import { kindOf } from '../../src/classifier/signature'
import { heicFixture } from '../helpers/heic'
import { box, input, sample, u32 } from '../helpers/images'
import { tiff } from '../helpers/tiff'

const latin1 = (text: string): Buffer => Buffer.from(text, 'latin1')
const padded = (bytes: Buffer | string, length = 300): Buffer =>
  Buffer.concat([typeof bytes === 'string' ? latin1(bytes) : bytes, Buffer.alloc(length, 0x20)])
const media = (brand: string, ...compatible: string[]): Buffer =>
  padded(box('ftyp', brand, u32(0), ...compatible))
const grey = Buffer.alloc(16 * 16, 128)
const plainTiff = { width: 16, height: 16, bits: 8, samples: 1, photometric: 1 }

describe('supported images are identified by their bytes, whatever their names', () => {
  const photo = () => sharp(sample('cat'))
  it.each([
    ['jpeg', async () => sample('cat')],
    ['png', () => photo().png().toBuffer()],
    ['webp', () => photo().webp().toBuffer()],
    ['gif', () => photo().gif().toBuffer()],
    ['avif', () => photo().resize(64).avif({ effort: 0 }).toBuffer()],
    ['tiff', () => photo().tiff().toBuffer()],
    ['tiff', () => photo().tiff({ bigtiff: true }).toBuffer()],
    ['tiff', async () => tiff({ ...plainTiff, bigEndian: true }, grey)],
    ['heic', async () => heicFixture('cat')],
  ])('%s', async (format, make) => {
    expect(kindOf(await make())).toMatchObject({ isImage: true, format })
  })

  it.each([
    ['mif1', ['mif1', 'heic'], 'heic'],
    ['mif1', ['mif1', 'avif', 'miaf'], 'avif'],
    ['heix', ['mif1', 'heix'], 'heic'],
    ['msf1', ['hevc', 'msf1'], 'heic'],
    ['avis', ['avis', 'msf1'], 'avif'],
    ['mif1', ['mif1', 'jpeg'], undefined],
  ])('%s with %j is %s', (major, compatible, format) => {
    expect(kindOf(media(major, ...compatible))).toMatchObject({ isImage: true })
    expect(kindOf(media(major, ...compatible))?.format).toBe(format)
  })
})

describe('unsupported files are named', () => {
  const text = (content: string): Buffer => Buffer.from(content)
  it.each<[string, Buffer, boolean]>([
    ['a BMP image', padded('BM\x36\0\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0'), true],
    ['an icon', padded('\0\0\x01\0\x01\0\x10\x10\0\0\x01\0\x20\0'), true],
    ['a JPEG 2000 image', padded('\0\0\0\x0cjP  \r\n\x87\n'), true],
    ['a JPEG XL image', padded('\xff\x0a\xfa\x1f'), true],
    ['a Photoshop document', padded('8BPS\0\x01\0\0'), true],
    ['a PDF', padded('%PDF-1.7\n'), true],
    ['an SVG drawing', text('<svg xmlns="http://www.w3.org/2000/svg"/>'), true],
    ['an SVG drawing', text('<?xml version="1.0"?>\n<!-- by hand -->\n<svg width="9">'), true],
    ['an SVG drawing', Buffer.from('\ufeff<svg width="9"></svg>', 'utf16le'), true],
    ['a PostScript file', text('%!PS-Adobe-3.0 EPSF-3.0\n'), true],
    ['a PNM image', padded('P6\n16 16\n255\n'), true],
    ['an HTML page', text('<!DOCTYPE html>\n<html><title>404 Not Found</title>'), false],
    ['an HTML page', text('\ufeff \n<html><body>Sign in</body>'), false],
    ['an XML document', text('<?xml version="1.0"?><Error><Code>NoSuchKey</Code></Error>'), false],
    ['a JSON document', text('{"error": "not found"}'), false],
    [
      'a Git LFS pointer',
      text('version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12\n'),
      false,
    ],
    ['a run of zero bytes', Buffer.alloc(4096), false],
    ['a ZIP archive', padded('PK\x03\x04'), false],
    ['an archive', padded('\x1f\x8b\x08'), false],
    ['a video or sound', media('isom', 'isom', 'mp41'), false],
    ['a video or sound', media('qt  '), false],
    ['a resource fork, as macOS writes them beside files', padded('\0\x05\x16\x07\0\x02\0\0'), false],
    ['text', text('Where is the photo?\n'), false],
  ])('%s', async (name, bytes, isImage) => {
    expect(kindOf(bytes)).toMatchObject({ name, isImage })
    expect(kindOf(bytes)?.format).toBeUndefined()
    await expect(decodeImage(bytes, input)).rejects.toMatchObject({
      code: 'image_unsupported',
      message: isImage
        ? `The object is ${name}, which cannot be decoded`
        : `The object is ${name}, not an image`,
    })
  })

  it('with a hint', () => {
    expect(kindOf(text('version https://git-lfs.github.com/spec/v1\n'))?.hint).toContain('git lfs pull')
    expect(kindOf(text('<!doctype html>'))?.hint).toContain('download the image again')
  })

  it('or not, if unknown', async () => {
    expect(kindOf(Buffer.from('0102030405060708', 'hex'))).toBeUndefined()
    await expect(decodeImage(Buffer.from('0102030405060708', 'hex'), input)).rejects.toMatchObject({
      code: 'image_unsupported',
      message: 'The object has an unknown format',
    })
  })
})

describe('a camera’s RAW file is not a TIFF image', () => {
  const small = { ...plainTiff, subfileType: 1 }
  const sensor = { ...plainTiff, photometric: 32803, bits: 16, data: Buffer.alloc(16 * 16 * 2) }
  it.each<[string, Buffer]>([
    ['NIKON', tiff({ ...small, make: 'NIKON', below: sensor }, grey)],
    [
      'NIKON',
      tiff({ ...small, make: 'NIKON', below: { ...sensor, photometric: 1, compression: 34713 } }, grey),
    ],
    ['of a maker it does not name', tiff({ ...plainTiff, photometric: 34892 }, grey)],
    ['DNG, Leica', tiff({ ...small, make: 'Leica', dngVersion: [1, 4, 0, 0] }, grey)],
    ['Canon CR2', padded('II*\0\x10\0\0\0CR\x02\0')],
    ['Canon CR3', media('crx ', 'crx ', 'isom')],
    ['Fujifilm RAF', padded('FUJIFILMCCD-RAW 0201')],
    ['Olympus ORF', padded('IIRO\x08\0\0\0')],
    ['Panasonic RW2', padded('IIU\0\x18\0\0\0')],
    ['Sigma X3F', padded('FOVb\0\0\x02\0')],
  ])('%s', async (camera, bytes) => {
    await expect(decodeImage(bytes, input)).rejects.toMatchObject({
      code: 'image_unsupported',
      message: `The object is a camera's RAW file (${camera}), which cannot be decoded`,
      hint: expect.stringContaining('JPEG'),
    })
  })

  it('but a TIFF image of a camera, or with nested smaller ones, is', async () => {
    const below = { ...plainTiff, subfileType: 1, data: grey }
    for (const one of [{ make: 'NIKON' }, { below }, { subfileType: 1 }]) {
      expect(await decodeImage(tiff({ ...plainTiff, ...one }, grey), input)).toMatchObject({ format: 'tiff' })
    }
  })
})

it('no bytes make it throw, or take long', () => {
  const beginnings = ['II*\0', 'MM\0*', 'II+\0', '\0\0\0\x18ftyp', '<', '{', '\ufeff', '', '%']
  fc.assert(
    fc.property(fc.constantFrom(...beginnings), fc.uint8Array({ maxLength: 400 }), (begins, rest) => {
      kindOf(Buffer.concat([latin1(begins), rest]))
      return true
    }),
    { numRuns: 3000 },
  )
})

it('a TIFF file with circular directories is read once', () => {
  const bytes = tiff({ ...plainTiff, below: { ...plainTiff, data: grey } }, grey)
  // The file ends with the link to the next directory: point it back to the first one.
  bytes.copy(bytes, bytes.length - 4, 4, 8)
  expect(kindOf(bytes)).toMatchObject({ format: 'tiff' })
})
