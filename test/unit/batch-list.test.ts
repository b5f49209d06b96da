import fc from 'fast-check'
import { type ReadPosition, readList } from '../../src/batch/planning/list-read'
import { portion } from '../../src/batch/planning/list-sort'
import { lookUp, page } from '../../src/batch/planning/look-up'
import { type Planned, type Position, planChunks } from '../../src/batch/planning/planner'
import { block } from '../../src/batch/planning/walk-list'
import { readBatch } from '../../src/batch/state/batch'
import { recordKey } from '../../src/batch/state/layout'
import type { ImageRef } from '../../src/schema'
import type { Bucket } from '../../src/storage/store'
import {
  anyKey,
  anyKeys,
  batchOf,
  collect,
  counted,
  inBytes,
  okRecord,
  startTestStore,
  type TestStore,
} from './batch-fixtures'
import { newRunner, type Runner, soon } from './batch-runner'

let objects: TestStore
let runner: Runner
let photos: Bucket
let results: Bucket
const [images, characters, blockLength, pageLength, least] = [
  portion.images,
  portion.characters,
  block.length,
  page.length,
  page.min,
]

beforeAll(async () => {
  objects = await startTestStore()
})
afterAll(() => objects.close())
beforeEach(async () => {
  runner = await newRunner(objects)
  photos = runner.photos
  results = runner.results
})
afterEach(() => {
  Object.assign(portion, { images, characters })
  Object.assign(page, { length: pageLength, min: least } satisfies typeof page)
  block.length = blockLength
})

const put = (lines: string, key = 'lists/one'): Promise<string> => results.put(key, lines)
const manifestAt = (key = 'lists/one'): string => `s3://${results.name}/${key}`

const planned = (asked: object = {}, from: Partial<Position> = {}): AsyncGenerator<Planned> => {
  const batch = batchOf(photos.name, { manifest: manifestAt(), ...asked }, { plan: from })
  return planChunks(batch, objects.store, results, { now: runner.clock.now() })
}
const imagesOf = (chunks: Planned[]): ImageRef[] => chunks.flatMap((chunk) => chunk.images)
const keysOf = (chunks: Planned[]): string[] => imagesOf(chunks).map(({ key }) => key)

async function uploadAll(keys: string[], bucket = photos): Promise<void> {
  for (const key of keys) await bucket.put(key, 'v1')
}

describe('a batch of a list', () => {
  const inventory = (bucket: string) =>
    ['red%20fox.jpg', 'caf%C3%A9%2Cbar.jpg'].map(
      (key) => `"${bucket}","in/${key}","7","2026-11-20T10:00:00.000Z"\n`,
    )
  const shapes: [string, (bucket: string) => string[], string[]][] = [
    [
      'keys',
      () => ['in/red fox.jpg\n', 'in/boat.png\r\n', '\n', 'in/boat.png'],
      ['in/boat.png', 'in/red fox.jpg'],
    ],
    [
      'source-ref',
      (bucket) =>
        ['red fox.jpg', 'boat.png', 'boat.png'].map((key) => `{"source-ref":"s3://${bucket}/in/${key}"}\n`),
      ['in/boat.png', 'in/red fox.jpg'],
    ],
    [
      'content',
      (bucket) => [`{"content": "s3://${bucket}/in/boat.png", "mimeType": "image/png"}\n`],
      ['in/boat.png'],
    ],
    ['inventory', inventory, ['in/café,bar.jpg', 'in/red fox.jpg']],
    [
      'bucket and key',
      (bucket) => [`\ufeff${bucket},in/boat.png\n`, `${bucket},"in/a ""quoted"",\n name.jpg"\n`],
      ['in/a "quoted",\n name.jpg', 'in/boat.png'],
    ],
  ]

  it.each(shapes)('of the shape %s has each image once, in key order', async (_, lines, keys) => {
    const last = keys.at(-1) as string
    await uploadAll(keys.slice(0, -1))
    await put(lines(photos.name).join(''))
    const chunks = await collect(planned())
    expect(keysOf(chunks)).toEqual(keys)
    // Missing images are planned as well, and get an error record.
    expect(imagesOf(chunks).at(-1)).toEqual({ bucket: photos.name, key: last })
    expect(imagesOf(chunks).slice(0, -1)).toEqual(
      keys.slice(0, -1).map((key) => expect.objectContaining({ key, etag: expect.any(String), size: 2 })),
    )
    expect(chunks.at(-1)?.position).toMatchObject({
      listed: keys.length,
      planned: keys.length,
      done: true,
      swept: false,
    })
  })

  it('may span several buckets, but not the results bucket', async () => {
    const other = await objects.newBucket()
    await uploadAll(['b.jpg'])
    await uploadAll(['a.jpg', 'b.jpg'], other)
    await put(`s3://${other.name}/b.jpg\nb.jpg\ns3://${other.name}/a.jpg\n`)
    const found = imagesOf(await collect(planned())).map(({ bucket, key }) => [bucket, key])
    const both = [photos.name, other.name].sort().map((bucket) => [bucket, 'b.jpg'])
    expect(found).toEqual([[other.name, 'a.jpg'], ...both])
    await put(`s3://${results.name}/a.jpg\n`)
    await expect(collect(planned())).rejects.toMatchObject({ code: 'manifest_invalid' })
  })

  it('applies filters and records like other batches', async () => {
    await uploadAll(['in/a.jpg', 'in/b.JPG', 'in/c.png', 'out/d.jpg'])
    const etag = (await photos.head('in/a.jpg'))?.etag as string
    const record = okRecord('in/a.jpg', { bucket: photos.name, etag })
    await results.put(recordKey(record.model, record), JSON.stringify(record))
    await put(['in/a.jpg', 'in/b.JPG', 'in/c.png', 'out/d.jpg', 'in/gone.jpg', 'in/gone.png'].join('\n'))
    const chunks = await collect(planned({ prefix: 'in/', format: 'jpeg' }))
    expect(keysOf(chunks)).toEqual(['in/b.JPG', 'in/gone.jpg'])
    expect(chunks.at(-1)?.position).toMatchObject({ listed: 3, skipped: 1, planned: 2 })
    expect(keysOf(await collect(planned({ limit: 1, force: true })))).toEqual(['in/a.jpg'])
  })

  it('plans the same images wherever it is interrupted, with portions of any size', async () => {
    await uploadAll(['a', 'b', 'c/d', '～', '😀'])
    const names = fc.array(fc.oneof(fc.constantFrom('a', 'b', 'c/d', '～', '😀', 'missing'), anyKey), {
      minLength: 1,
      maxLength: 12,
    })
    const isLine = (key: string) => key.trim() !== '' && !/^["{]|[\r\n\u2028,;\t|]|^s3:/.test(key)
    await fc.assert(
      fc.asyncProperty(
        names,
        fc.integer({ min: 1, max: 5 }),
        fc.nat(8),
        fc.integer({ min: 1, max: 3 }),
        async (keys, size, stopAt, length) => {
          const lines = keys.filter(isLine)
          portion.images = size
          block.length = length
          page.length = length
          page.min = 1
          await put(lines.join('\n'))
          const chunks: Planned[] = []
          for await (const chunk of planned({ chunkSize: 2 })) if (chunks.push(chunk) > stopAt) break
          const stopped = chunks.at(-1)?.position
          if (!stopped?.done) chunks.push(...(await collect(planned({ chunkSize: 2 }, stopped))))
          expect(keysOf(chunks)).toEqual([...new Set(lines)].sort(inBytes))
          expect(chunks.at(-1)?.position).toMatchObject({ planned: new Set(lines).size, done: true })
        },
      ),
      { numRuns: 60 },
    )
  }, 120_000)

  it('is read and planned over any number of activations, and leaves no portions', async () => {
    portion.images = 3
    const keys = Array.from({ length: 40 }, (_, n) => `k${String(n).padStart(2, '0')}`)
    await uploadAll(keys)
    await put([...keys, ...keys].reverse().join('\n'))
    let summary = await runner.start({ batch: 'b1', manifest: manifestAt(), chunkSize: 4 }, soon(runner, 1))
    for (let n = 0; n < 60 && summary.state !== 'complete'; n++)
      summary = await runner.start({ advance: 'b1' }, soon(runner, 300))
    expect(summary).toMatchObject({
      state: 'complete',
      totals: { listed: 40, planned: 40, ok: 40, pending: 0 },
    })
    expect(await runner.keysOf('b1')).toEqual(keys)
    expect(await collect(results.list({ prefix: 'batches/b1/list/' }))).toEqual([])
  }, 60_000)

  it('that changes while being read stops the batch; the next fire reads it again', async () => {
    portion.images = 2
    await uploadAll(['a', 'b', 'c', 'd'])
    await put('a\nb\nc\nd\n')
    const bucket = runner.store.bucket
    const lines: Bucket['lines'] = async function* (key, options) {
      for await (const line of results.lines(key, options)) {
        yield line
        if (key === 'lists/one' && line === 'b') throw await put('c\nd\n').then(() => codeOf412(key))
      }
    }
    const changing = new Proxy(results, {
      get: (target, name) => (name === 'lines' ? lines : Reflect.get(target, name)),
    })
    runner.store = { bucket: (name) => (name === results.name ? changing : bucket(name)) }
    const stopped = await runner.start({ batch: 'b1', manifest: manifestAt() })
    expect(stopped).toMatchObject({
      state: 'stopped',
      reason: expect.stringMatching(/lists\/one was changed while it was read/),
    })
    runner.store = { bucket }
    expect(await runner.start({ batch: 'b1', manifest: manifestAt() })).toMatchObject({ state: 'complete' })
    expect(await runner.keysOf('b1')).toEqual(['c', 'd'])
  })

  const codeOf412 = async (key: string): Promise<unknown> =>
    collect(results.lines(key, { etag: 'other' })).catch((thrown) => thrown)

  it.each<[string, string | undefined, RegExp]>([
    ['that is not there', undefined, /^There is no list of images at s3:/],
    ['of unknown columns', 'Bucket,Key,Size\nphotos,a.jpg,7\n', /^Line 1 of s3:.* "Bucket,Key,Size"$/],
    ['with a line that is none', '{"content":"s3://animals/a"}\nboat.png\n', /^Line 2 of .* "boat.png"$/],
    ['with a quote that is open', `animals,"a\n${'b\n'.repeat(20_000)}`, /A quote is never closed/],
  ])('%s stops with the reason', async (_, text, reason) => {
    if (text !== undefined) await put(text)
    const summary = await runner.start({ batch: 'b1', manifest: manifestAt() })
    expect(summary).toMatchObject({ state: 'stopped', reason: expect.stringMatching(reason) })
  })

  it('without lines is done at once', async () => {
    await put('\r\n\n')
    expect((await collect(planned())).at(-1)?.position).toMatchObject({ listed: 0, done: true })
  })

  it('is counted ahead without leaving objects', async () => {
    await uploadAll(['a', 'b'])
    await put('a\nb\nc\n')
    const before = (await collect(results.list())).map(({ key }) => key)
    const summary = await runner.start({ batch: 'b1', manifest: manifestAt(), dryRun: true })
    expect(summary.totals).toMatchObject({ listed: 3, planned: 3 })
    expect((await collect(results.list())).map(({ key }) => key)).toEqual(before)
  })

  it('is kept by a retry, and cannot be replaced while open', async () => {
    await put('a\n')
    await runner.start({ batch: 'b1', manifest: manifestAt(), cancel: false }, soon(runner, -90_000))
    const other = runner.start({ batch: 'b1', manifest: manifestAt('lists/two') })
    await expect(other).rejects.toThrow('different values of manifest')
    while ((await runner.start({ advance: 'b1' })).state !== 'complete');
    await uploadAll(['a', 'z'])
    expect(await runner.start({ batch: 'b1', retry: true })).toMatchObject({
      totals: { listed: 1, planned: 1 },
    })
    expect((await readBatch(results, 'b1'))?.request.manifest).toBe(manifestAt())
  })
})

describe('reading a list', () => {
  const quoted = (text: string): string => `"${text.replaceAll('"', '""')}"`
  const writers: ((key: string) => string)[] = [
    (key) => `animals,${quoted(key)}`,
    (key) => `"animals","${encodeURIComponent(key)}","7"`,
    (key) => JSON.stringify({ 'source-ref': `s3://animals/${key}` }),
  ]

  it('resumes after any line, for all keys, line ends and empty lines', async () => {
    const key = fc.array(fc.constantFrom('a', '"', ',', '\n', 'é', '😀', ' ', '%20'), {
      minLength: 1,
      maxLength: 6,
    })
    const keys = fc.array(
      key.map((pieces) => pieces.join('')),
      { minLength: 1, maxLength: 6 },
    )
    const end = fc.constantFrom('\n', '\r\n', '\n\n', '\r\n\r\n')
    const start = { bytes: 0, lines: 0 }
    await fc.assert(
      fc.asyncProperty(
        keys,
        fc.constantFrom(...writers),
        end,
        fc.boolean(),
        async (named, write, ending, isMarked) => {
          const etag = await put(`${isMarked ? '\ufeff' : ''}${named.map(write).join(ending)}`)
          const read = async (from: ReadPosition) =>
            collect(readList(manifestAt(), etag, from, objects.store))
          const all = await read(start)
          expect(all.map(({ listed }) => listed)).toEqual(
            named.map((one) => ({ bucket: 'animals', key: one })),
          )
          for (const [index, { listed, ...position }] of all.entries())
            expect(await read(position)).toEqual(all.slice(index + 1))
        },
      ),
      { numRuns: 60 },
    )
  }, 120_000)
})

describe('looking up keys', () => {
  it('finds existing ones by listing or one by one', async () => {
    const there = await objects.newBucket()
    const keys = [
      'a',
      'a/b',
      'ab',
      'b c',
      '～',
      '😀/x',
      'x%2F+',
      ...Array.from({ length: 30 }, (_, n) => `n/${n}`),
    ]
    await uploadAll(
      keys.map((key) => `root/${key}`),
      there,
    )
    await there.put('other', '')
    await fc.assert(
      fc.asyncProperty(
        fc.subarray(keys),
        anyKeys(8),
        fc.integer({ min: 1, max: 40 }),
        fc.nat(3),
        async (known, others, length, few) => {
          page.length = length
          page.min = few
          const wanted = [...new Set([...known, ...others])].sort(inBytes)
          const found = await lookUp(there, wanted, 'root/')
          expect([...found.keys()].sort(inBytes)).toEqual(wanted.filter((key) => keys.includes(key)))
          for (const [key, object] of found) expect(object).toMatchObject({ key, size: 2 })
        },
      ),
      { numRuns: 100 },
    )
  }, 120_000)

  it('lists where keys are dense, and uses HEAD where they are sparse', async () => {
    const there = await objects.newBucket()
    const keys = Array.from({ length: 60 }, (_, n) => `k${String(n).padStart(3, '0')}`)
    await uploadAll(keys, there)
    Object.assign(page, { length: 10, min: 3 } satisfies typeof page)
    const dense = counted(there)
    await lookUp(dense.bucket, keys)
    expect(dense.requests.map(({ method }) => method)).toEqual(['list'])
    const sparse = counted(there)
    await lookUp(sparse.bucket, ['k000', 'k050', 'k059'])
    expect(sparse.requests.map(({ method }) => method)).toEqual(['list', 'head', 'head'])
  })
})
