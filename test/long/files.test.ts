import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { decodeImage } from '../../src/classifier/decode'
import { difference, input } from '../helpers/images'
import { needs } from '../helpers/needs'
import { pillowMissing, python } from '../helpers/pillow'
import { run } from '../unit/cli-run'
import { type Generated, generateFiles, type Truth } from './files/generate'

/* Realistic collections of files through `whisklens classify`: 5,000 in `npm run check:full`. */

const count = process.env.WHISKLENS_FULL ? 5000 : 800
const seed = 17

const timeout = 1_800_000
jest.setTimeout(timeout)

const root = join(__dirname, '..', '..')
const folder = mkdtempSync(join(tmpdir(), 'whisklens-files-'))
const files = join(folder, 'files')
afterAll(() => rmSync(folder, { recursive: true, force: true }))

type Sample = Omit<Generated, 'bytes'> & {
  /** Error code, or "ok"; undefined if it was skipped as not an image. */
  outcome?: string
  message?: string
}

const samples: Sample[] = []
let finished: Awaited<ReturnType<typeof run>>

beforeAll(async () => {
  mkdirSync(files)
  for await (const { bytes, ...one } of generateFiles(count, seed)) {
    writeFileSync(join(files, one.name), bytes)
    samples.push(one)
  }
  finished = await run(folder, ['classify', '--json', 'files'])
  const records = new Map(finished.lines.map((line) => [JSON.parse(line).file, JSON.parse(line)]))
  for (const one of samples) {
    const record = records.get(join('files', one.name))
    one.outcome = record && (record.error?.code ?? 'ok')
    one.message = record?.error?.message
  }
  process.stderr.write(`${table()}\n`)
})

/** Number of files by truth and outcome. */
function table(): string {
  const counts = new Map<string, number>()
  for (const { truth, outcome = 'skipped' } of samples) {
    const line = `${truth}: ${outcome}`
    counts.set(line, (counts.get(line) ?? 0) + 1)
  }
  return [...counts]
    .sort()
    .map(([line, number]) => `${line} ${number}`)
    .join('\n')
}

const those = (truths: Truth[], isWrong: (one: Sample) => boolean) =>
  samples
    .filter((one) => truths.includes(one.truth) && isWrong(one))
    .map(({ name, kind, truth, outcome, message }) => ({ name, kind, truth, outcome, message }))

describe(`of ${count} files`, () => {
  it('none crashes the program, or affects other images', () => {
    expect(finished.code).toBe(3)
    expect(finished.stderr).toMatch(/^Classified \d+ images, \d+ in error/m)
    expect(samples.filter(({ outcome }) => outcome === 'internal')).toEqual([])
    expect(finished.lines).toHaveLength(samples.filter(({ outcome }) => outcome !== undefined).length)
  })

  it('none that is not an image, or in an unsupported format, has labels', () => {
    expect(those(['no image', 'undecoded image'], ({ outcome }) => outcome === 'ok')).toEqual([])
  })

  it('none in an unsupported format is ignored or called corrupt', () => {
    expect(those(['undecoded image'], ({ outcome }) => outcome !== 'image_unsupported')).toEqual([])
  })

  it('none that is not an image is taken for one, by content or extension', () => {
    const outcomes = [undefined, 'image_unsupported', 'image_empty']
    expect(those(['no image'], ({ outcome }) => !outcomes.includes(outcome))).toEqual([])
  })

  it('none that is valid is refused', () => {
    expect(those(['image', 'image, longer'], ({ outcome }) => outcome !== 'ok')).toEqual([])
  })

  it('none that is truncated has labels, unless only later pages are missing', () => {
    const ofPages = ['gif moving', 'tif pyramid']
    const isWrong = ({ kind, outcome }: Sample) => outcome !== 'image_corrupt' && !ofPages.includes(kind)
    expect(those(['image, cut off'], isWrong)).toEqual([])
  })
})

/** Modes that Pillow does not convert to RGB: it clips values above 255. */
const notRgb = ['I;16', 'I;16B', 'I', 'F']

needs(pillowMissing()).describe('checked against Pillow', () => {
  interface Seen {
    name: string
    mode?: string
    pixels?: string
    error?: string
  }
  const small = { ...input, size: 64, resizeShortSide: 73 }
  let seen: Map<string, Seen>

  beforeAll(() => {
    const args = [
      join(__dirname, 'files', 'pillow.py'),
      join(root, 'bench', 'python'),
      JSON.stringify(small),
      files,
    ]
    const output = execFileSync(python, args, {
      encoding: 'utf8',
      maxBuffer: 1e9,
      stdio: ['ignore', 'pipe', 'ignore'],
    })
    seen = new Map(
      output
        .trimEnd()
        .split('\n')
        .map((line) => [JSON.parse(line).name, JSON.parse(line)]),
    )
  })

  it('valid files are not called corrupt, and others have no labels', () => {
    const isRead = (name: string) => seen.get(name)?.pixels !== undefined
    const corrupt = those(
      ['image', 'image, longer'],
      ({ name, outcome }) => isRead(name) && outcome === 'image_corrupt',
    )
    expect(corrupt).toEqual([])
    const labelled = those(['image, cut off'], ({ name, outcome }) => !isRead(name) && outcome === 'ok')
    expect(labelled).toEqual([])
  })

  it('pixels are correct', async () => {
    const wrong: object[] = []
    let compared = 0
    for (const { name, kind } of samples.filter(({ truth }) => truth === 'image')) {
      const { mode = '', pixels } = seen.get(name) ?? {}
      if (pixels === undefined || notRgb.includes(mode)) continue
      compared++
      const decoded = await decodeImage(readFileSync(join(files, name)), small)
      const off = difference(decoded.pixels, Buffer.from(pixels, 'base64'))
      // Pillow converts CMYK without a profile. Adjacent black and white pixels differ most between downscaling
      // algorithms.
      if (off > (mode === 'CMYK' ? 30 : 2.5)) wrong.push({ name, kind, mode, off })
    }
    process.stderr.write(`${compared} images have the pixels that Pillow makes of them\n`)
    expect(compared).toBeGreaterThan(count / 4)
    expect(wrong).toEqual([])
  })
})
