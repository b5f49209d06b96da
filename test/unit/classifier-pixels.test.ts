import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import sharp from 'sharp'
import { decodeForAll, decodeImage } from '../../src/classifier/decode'
import { decodeWithJpegJs } from '../../src/classifier/decode-jpeg-js'
import type { InputSpec } from '../../src/classifier/image'
import { difference, input, sample, sampleNames } from '../helpers/images'
import { needs } from '../helpers/needs'
import { pillowMissing, python } from '../helpers/pillow'
import { turnedBy } from '../helpers/turned'

const fixtures = join(__dirname, '..', 'fixtures', 'pixels')
const { inputs, pixels } = JSON.parse(readFileSync(join(fixtures, 'expected.json'), 'utf8')) as {
  inputs: Record<string, InputSpec>
  pixels: Record<string, Record<string, string>>
}

const largest = (a: Uint8Array, b: Uint8Array): number =>
  a.reduce((most, value, index) => Math.max(most, Math.abs(value - (b[index] ?? 0))), 0)

/** Whether the decoder shrinks the image. Otherwise pixels differ by rounding only. */
const isShrunkWhileDecoded = (file: string): boolean => /times/.test(file)

describe('pixels equal those stored from Pillow', () => {
  for (const [name, files] of Object.entries(pixels)) {
    const wanted = inputs[name] as InputSpec
    it.each(Object.keys(files))(`input "${name}", %s`, async (file) => {
      const expected = Buffer.from(files[file] ?? '', 'base64')
      const decoded = await decodeImage(readFileSync(join(fixtures, file)), wanted)
      expect(difference(decoded.pixels, expected)).toBeLessThan(isShrunkWhileDecoded(file) ? 1.5 : 0.1)
      if (!isShrunkWhileDecoded(file)) expect(largest(decoded.pixels, expected)).toBeLessThanOrEqual(2)
    })
  }

  it('without sharp', () => {
    const expected = Buffer.from(pixels.odd?.['photo.jpg'] ?? '', 'base64')
    const [decoded] = decodeWithJpegJs(readFileSync(join(fixtures, 'photo.jpg')), [inputs.odd as InputSpec])
    expect(difference(decoded?.pixels ?? new Uint8Array(), expected)).toBeLessThan(1.5)
  })
})

describe('pixels are the same for every orientation, to ± 2', () => {
  it.each([
    ['enlarged', 201, 151],
    ['shrunk', 501, 375],
    ['shrunk while it is decoded', 1301, 1101],
  ])('%s, %i×%i', async (_, width, height) => {
    const upright = await sharp(sample('palace')).resize(width, height, { fit: 'fill' }).png().toBuffer()
    const expected = (await decodeImage(upright, input)).pixels
    for (let orientation = 2; orientation <= 8; orientation++) {
      const stored = await turnedBy(orientation, sharp(upright))
        .withMetadata({ orientation })
        .png()
        .toBuffer()
      const decoded = await decodeImage(stored, input)
      expect(decoded).toMatchObject({ width, height })
      expect(largest(decoded.pixels, expected)).toBeLessThanOrEqual(2)
    }
  })
})

it('one decode serves several inputs with their pixels', async () => {
  const thumbnail: InputSpec = { longestSide: 160, kernel: 'cubic' }
  const photo = await sharp(sample('palace')).resize(1600, 1201, { fit: 'fill' }).png().toBuffer()
  const [seen, shown] = await decodeForAll(photo, [input, thumbnail])
  expect(shown).toMatchObject({ rows: 120, columns: 160, width: 1600, height: 1201 })
  for (const [found, wanted] of [
    [seen, input],
    [shown, thumbnail],
  ] as const) {
    const alone = await decodeImage(photo, wanted)
    expect(difference(found?.pixels ?? new Uint8Array(), alone.pixels)).toBeLessThan(1.5)
  }
})

const script = join(__dirname, '..', '..', 'bench', 'python', 'pixels.py')

needs(pillowMissing()).describe('pixels are those of Pillow, here and now', () => {
  const folder = mkdtempSync(join(tmpdir(), 'whisklens-pixels-'))
  afterAll(() => rmSync(folder, { recursive: true }))

  async function expectAsPillow(image: Buffer): Promise<void> {
    const file = join(folder, 'image')
    writeFileSync(file, image)
    const printed = execFileSync(python, [script, JSON.stringify(input), file], { encoding: 'utf8' })
    const { pixels } = await decodeImage(image, input)
    expect(difference(pixels, Buffer.from(printed, 'base64'))).toBeLessThan(1.5)
  }

  it.each(sampleNames)(
    '%s, at its size, enlarged, shrunk, and with 12 megapixels',
    async (name) => {
      await expectAsPillow(sample(name))
      for (const width of [201, 333, 1600, 4001]) {
        const resized = sharp(sample(name)).resize({ width }).keepIccProfile()
        await expectAsPillow(await resized.jpeg({ quality: 92 }).toBuffer())
        if (width < 2000) await expectAsPillow(await resized.webp({ lossless: true, effort: 0 }).toBuffer())
      }
    },
    120_000,
  )
})
