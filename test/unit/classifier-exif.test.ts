import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import sharp, { type Exif as SharpExif } from 'sharp'
import { classifyImage } from '../../src/classifier/classify'
import { decodeImage } from '../../src/classifier/decode'
import { readExif } from '../../src/classifier/exif/exif'
import { heicExif } from '../../src/classifier/exif/heic'
import { type LoadedModel, loadModel } from '../../src/classifier/load'
import { exifSchema } from '../../src/schema'
import { input, sample } from '../helpers/images'
import { needs } from '../helpers/needs'

type Value = string | number | [numerator: number, denominator: number][]
type Tags = Record<number, Value>

const [make, model, changed, original, digitised] = [0x010f, 0x0110, 0x0132, 0x9003, 0x9004]
const [changedOffset, originalOffset] = [0x9010, 0x9011]
const paris: Tags = {
  1: 'N',
  2: [
    [48, 1],
    [51, 1],
    [2952, 100],
  ],
  3: 'E',
  4: [
    [2, 1],
    [17, 1],
    [4020, 100],
  ],
}

/** An EXIF block as cameras write it: three directories, each followed by the values that do not fit into its entries. */
function block(
  { image = {}, photo = {}, gps = {} }: { image?: Tags; photo?: Tags; gps?: Tags },
  order = 'II',
) {
  const little = order === 'II'
  const bytes: number[] = []
  const put = (at: number, value: number, size: number) => {
    for (let i = 0; i < size; i++) bytes[at + i] = (value >>> (8 * (little ? i : size - 1 - i))) & 0xff
  }
  const bytesOf = (value: Value): { type: number; count: number; data: number[] } => {
    const before = bytes.length
    if (typeof value === 'number') {
      put(before, value, 4)
      return { type: 4, count: 1, data: bytes.splice(before) }
    }
    if (typeof value === 'string') {
      const data = [...Buffer.from(value), 0]
      return { type: 2, count: data.length, data }
    }
    for (const [index, [a, b]] of value.entries()) {
      put(before + index * 8, a, 4)
      put(before + index * 8 + 4, b, 4)
    }
    return { type: 5, count: value.length, data: bytes.splice(before) }
  }
  const directory = (tags: Tags): number => {
    const start = bytes.length
    const entries = Object.entries(tags)
    put(start, entries.length, 2)
    for (let at = start + 2; at < start + 6 + entries.length * 12; at++) bytes[at] = 0
    for (const [index, [tag, value]] of entries.entries()) {
      const at = start + 2 + index * 12
      const { type, count, data } = bytesOf(value)
      put(at, Number(tag), 2)
      put(at + 2, type, 2)
      put(at + 4, count, 4)
      if (data.length > 4) {
        put(at + 8, bytes.length, 4)
        bytes.push(...data)
      } else for (const [i, byte] of data.entries()) bytes[at + 8 + i] = byte
    }
    return start
  }
  bytes.push(...Buffer.from(order))
  put(2, 42, 2)
  put(4, 0, 4)
  const [exif, position] = [directory(photo), directory(gps)]
  put(4, directory({ ...image, 34665: exif, 34853: position }), 4)
  return Buffer.from(bytes)
}

const anyTags = fc.dictionary(
  fc.integer({ min: 1, max: 0xffff }).map(String),
  fc.oneof(fc.string(), fc.nat()),
) as fc.Arbitrary<Tags>

describe('an EXIF block', () => {
  it.each(['II', 'MM'])('has date and camera in byte order %s, and the position only on request', (order) => {
    const photo = { [original]: '2026:05:01 10:11:12', [originalOffset]: '+02:00' }
    const bytes = block({ image: { [make]: 'Canon', [model]: 'Canon EOS R5' }, photo, gps: paris }, order)
    const known = { takenAt: '2026-05-01T10:11:12+02:00', camera: 'Canon EOS R5' }
    expect(readExif(bytes, false)).toEqual(known)
    expect(readExif(bytes, true)).toEqual({ ...known, position: { latitude: 48.8582, longitude: 2.2945 } })
    const prefixed = Buffer.concat([Buffer.from('Exif\0\0'), bytes])
    expect(readExif(prefixed, false)).toEqual(known)
  })

  it('has negative degrees for south and west', () => {
    const gps = { ...paris, 1: 'S', 3: 'W' }
    expect(readExif(block({ gps }), true)).toEqual({ position: { latitude: -48.8582, longitude: -2.2945 } })
  })

  it.each<[string, Tags, Tags, string | undefined]>([
    [
      'when the photo was taken',
      { [changed]: '2027:01:01 00:00:00' },
      { [original]: '2026:05:01 10:11:12' },
      '2026-05-01T10:11:12',
    ],
    [
      'when it was scanned',
      { [changed]: '2027:01:01 00:00:00' },
      { [digitised]: '2026:05:01 10:11:12' },
      '2026-05-01T10:11:12',
    ],
    [
      'when it was changed',
      { [changed]: '2026:05:01 10:11:12' },
      { [changedOffset]: '-03:30' },
      '2026-05-01T10:11:12-03:30',
    ],
    ['nothing of a clock that was not set', {}, { [original]: '0000:00:00 00:00:00' }, undefined],
    ['nothing of blanks', {}, { [original]: '    :  :     :  :  ' }, undefined],
    ['nothing of a day there is not', {}, { [original]: '2026:02:30 10:11:12' }, undefined],
    [
      'the time without an offset there is not',
      {},
      { [original]: '2026:05:01 10:11:12', [originalOffset]: '+99:00' },
      '2026-05-01T10:11:12',
    ],
  ])('has %s', (_, image, photo, takenAt) => {
    expect(readExif(block({ image, photo }), false)?.takenAt).toBe(takenAt)
  })

  it.each([
    ['Canon', 'Canon EOS R5', 'Canon EOS R5'],
    ['NIKON CORPORATION', 'NIKON D850', 'NIKON D850'],
    ['Apple', 'iPhone 15 Pro', 'Apple iPhone 15 Pro'],
    ['  SONY \0junk', 'DSC\u0007-RX100', 'SONY DSC-RX100'],
    ['', 'X100', 'X100'],
    ['Leica', '', 'Leica'],
    ['', '  ', undefined],
  ])('names the camera of %j and %j', (brand, name, camera) => {
    expect(readExif(block({ image: { [make]: brand, [model]: name } }), false)?.camera).toBe(camera)
  })

  it.each<[string, Tags]>([
    ['without a hemisphere', { ...paris, 1: '' }],
    [
      'with denominators of zero',
      {
        ...paris,
        2: [
          [0, 0],
          [0, 0],
          [0, 0],
        ],
      },
    ],
    [
      'beyond the pole',
      {
        ...paris,
        2: [
          [91, 1],
          [0, 1],
          [0, 1],
        ],
      },
    ],
    ['with one number', { ...paris, 4: [[2, 1]] }],
    ['of text', { ...paris, 4: '2' }],
  ])('has no position %s', (_, gps) => {
    expect(readExif(block({ gps }), true)).toBeUndefined()
  })

  it('with arbitrary content is parsed to valid records, or ignored', () => {
    const whole = block({
      image: { [make]: 'Canon' },
      photo: { [original]: '2026:05:01 10:11:12' },
      gps: paris,
    })
    const damaged = fc
      .tuple(
        fc.nat(whole.length),
        fc.array(fc.tuple(fc.nat(whole.length - 1), fc.nat(255)), { maxLength: 20 }),
      )
      .map(([length, changes]) => {
        const bytes = Buffer.from(whole)
        for (const [at, value] of changes) bytes[at] = value
        return bytes.subarray(0, length)
      })
    const random = fc
      .uint8Array({ maxLength: 400 })
      .map((bytes) => Buffer.concat([Buffer.from('II*\0'), bytes]))
    const built = fc.record({ image: anyTags, photo: anyTags, gps: anyTags }).map((tags) => block(tags))
    fc.assert(
      fc.property(fc.oneof(damaged, random, built, fc.uint8Array()), (bytes) => {
        const exif = readExif(bytes, true)
        if (exif) expect(exifSchema.parse(exif)).toEqual(exif)
      }),
      { numRuns: 3000 },
    )
  })

  it('with thousands of entries and values takes no more memory than a small one', () => {
    const bytes = Buffer.alloc(65_000)
    bytes.write('II*\0\x08', 'latin1')
    bytes.writeUInt16LE(5000, 8)
    for (let index = 0; index < 5000; index++) {
      const at = 10 + index * 12
      bytes.writeUInt16LE(index + 1, at)
      bytes.writeUInt16LE(2, at + 2)
      bytes.writeUInt32LE(64_000, at + 4)
    }
    const before = process.memoryUsage().heapUsed
    readExif(bytes, true)
    expect(process.memoryUsage().heapUsed - before).toBeLessThan(20e6)
  })
})

describe('an image with EXIF', () => {
  let loaded: LoadedModel
  beforeAll(async () => {
    loaded = await loadModel('efficientnet-lite0', 'wasm')
  })

  const photo = (exif: SharpExif) => sharp(sample('cat')).withExif(exif)
  const facts = {
    IFD0: { Make: 'FUJIFILM', Model: 'X-T5' },
    IFD2: { DateTimeOriginal: '2026:05:01 10:11:12' },
    IFD3: {
      GPSLatitudeRef: 'N',
      GPSLatitude: '48/1 51/1 2952/100',
      GPSLongitudeRef: 'E',
      GPSLongitude: '2/1 17/1 4020/100',
    },
  } as SharpExif

  it.each(['jpeg', 'png', 'webp', 'avif'] as const)('has date and camera as %s', async (format) => {
    const bytes = await photo(facts).toFormat(format).toBuffer()
    const { exif } = await classifyImage(loaded, bytes)
    expect(exif).toEqual({ takenAt: '2026-05-01T10:11:12', camera: 'FUJIFILM X-T5' })
    const withPosition = await classifyImage(loaded, bytes, 1, { withPosition: true })
    expect(withPosition.exif?.position).toEqual({ latitude: 48.8582, longitude: 2.2945 })
  })

  it('has no such field without EXIF', async () => {
    expect(await classifyImage(loaded, sample('cat'))).not.toHaveProperty('exif')
  })

  it('is classified the same with a hostile block', async () => {
    const bytes = await photo(facts).jpeg().toBuffer()
    const { labels } = await classifyImage(loaded, bytes)
    const start = bytes.indexOf('Exif\0\0') + 6
    const length = bytes.readUInt16BE(bytes.indexOf('Exif\0\0') - 2) - 8
    for (const seed of [1, 2, 3, 4, 5]) {
      const hostile = Buffer.from(bytes)
      for (let at = 8; at < length; at++)
        if ((at * seed) % 7 === 3) hostile[start + at] = (at * 31 * seed) & 0xff
      expect((await classifyImage(loaded, hostile, 5, { withPosition: true })).labels).toEqual(labels)
    }
  })

  it('keeps its block out of the inference thread', async () => {
    const given: object[] = []
    const predict = async (image: object) => {
      given.push(image)
      return { labels: [], ms: 1 }
    }
    const task = { ...loaded.task, predict }
    await classifyImage({ ...loaded, task } as unknown as LoadedModel, await photo(facts).jpeg().toBuffer())
    expect(given[0]).not.toHaveProperty('exif')
  })
})

it('a HEIC image of a phone has date, camera and position', async () => {
  const file = readFileSync(join(__dirname, '..', 'fixtures', 'exif', 'phone.heic'))
  expect(readExif(await heicExif(file), true)).toEqual({
    takenAt: '2026-05-01T10:11:12',
    camera: 'Apple iPhone 15',
    position: { latitude: 48.8582, longitude: 2.2945 },
  })
  expect(await heicExif(file.subarray(0, 40))).toBeUndefined()
})

const python = process.env.PYTHON ?? 'python3'
const hasPillow = spawnSync(python, ['-c', 'import PIL']).status === 0
needs(!hasPillow && `${python} has no Pillow`).it('what Pillow wrote tells date and camera', async () => {
  const program = `
import sys, io
from PIL import Image
image = Image.new('RGB', (64, 48), 'red')
exif = Image.Exif()
exif[0x010f] = 'Kodak'
exif[0x0110] = 'Scanner 9'
# Its TIFF files have no directory of the camera's own.
if sys.argv[1] == 'TIFF': exif[0x0132] = '2026:05:01 10:11:12'
else: exif.get_ifd(0x8769)[0x9003] = '2026:05:01 10:11:12'
out = io.BytesIO()
image.save(out, sys.argv[1], exif=exif)
sys.stdout.buffer.write(out.getvalue())`
  for (const format of ['TIFF', 'JPEG', 'PNG', 'WEBP']) {
    const { stdout, stderr } = spawnSync(python, ['-c', program, format])
    expect(String(stderr)).toBe('')
    const { exif } = await decodeImage(stdout, input)
    expect(readExif(exif, false)).toEqual({ takenAt: '2026-05-01T10:11:12', camera: 'Kodak Scanner 9' })
  }
})
