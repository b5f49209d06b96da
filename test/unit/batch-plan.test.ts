import fc from 'fast-check'
import { type Planned, type Position, planChunks as planChunksOf } from '../../src/batch/planning/planner'
import type { OpenBatch } from '../../src/batch/state/batch'
import { recordKey } from '../../src/batch/state/layout'
import type { Bucket, ObjectInfo } from '../../src/storage/store'
import {
  advanceClock,
  anyKeys,
  batchOf,
  collect,
  counted,
  errorRecord,
  inBytes,
  listing,
  minutes,
  model,
  objectInfo,
  okRecord,
  setClock,
  startTestStore,
  type TestStore,
} from './batch-fixtures'

let objects: TestStore
let photos: Bucket
let results: Bucket

beforeAll(async () => {
  objects = await startTestStore()
})
afterAll(() => objects.close())
beforeEach(async () => {
  setClock('2026-11-22T08:00:00Z')
  photos = await objects.newBucket()
  results = await objects.newBucket()
})
afterEach(() => jest.useRealTimers())

const planOf = (asked: object = {}, from: Partial<Position> = {}): OpenBatch =>
  batchOf(photos.name, asked, { plan: from })

const planChunks = (batch: OpenBatch, images: Bucket, records: Bucket, readOnly = false) =>
  planChunksOf(batch, { bucket: () => images }, records, { now: Date.now(), readOnly })

const upload = (key: string, content = 'v1'): Promise<string> => photos.put(key, content)

async function uploadAll(...keys: string[]): Promise<void> {
  for (const key of keys) await upload(key)
}

/** Stores the record of an image in its current version. */
async function classify(key: string, changes: object = {}): Promise<void> {
  const etag = (await photos.head(key))?.etag ?? null
  const record = okRecord(key, { bucket: photos.name, etag, ...changes })
  await results.put(recordKey(record.model, record), JSON.stringify(record))
}

async function plan(asked: object = {}, from: Partial<Position> = {}, images = photos, records = results) {
  const chunks = await collect(planChunks(planOf(asked, from), images, records))
  return {
    chunks: chunks.filter((chunk) => chunk.images.length > 0),
    keys: chunks.flatMap((chunk) => chunk.images.map(({ key }) => key)),
    end: chunks.at(-1)?.position,
  }
}

/** A fake listing that supports prefix and start like S3. */
const listed = (all: ObjectInfo[]): Bucket['list'] =>
  async function* ({ prefix = '', startAfter } = {}) {
    for (const object of all) {
      if (object.key.startsWith(prefix) && (!startAfter || inBytes(object.key, startAfter) > 0)) yield object
    }
  }

const numbered = (count: number): string[] =>
  Array.from({ length: count }, (_, number) => `k${String(number).padStart(6, '0')}`)

const sizes = (chunks: Planned[]): number[] => chunks.map(({ images }) => images.length)

describe('planning', () => {
  it('yields every image in listing order, with its listed properties', async () => {
    const etag = await upload('😀 a.jpg')
    await uploadAll('～.jpg', 'a/b.jpg')
    const { chunks, keys, end } = await plan()
    expect(keys).toEqual(['a/b.jpg', '～.jpg', '😀 a.jpg'])
    expect(chunks[0]?.images[2]).toEqual({
      bucket: photos.name,
      key: '😀 a.jpg',
      etag,
      size: 2,
      lastModified: '2026-11-22T08:00:00.000Z',
    })
    expect(end).toMatchObject({ listed: 3, skipped: 0, planned: 3, done: true })
  })

  it('selects by prefix, globs and time, and counts only selected images', async () => {
    await upload('photos/old.jpg')
    advanceClock(minutes(60))
    await uploadAll('photos/a.jpg', 'photos/b.png', 'photos/private/c.jpg', 'photosynthesis.jpg', 'z.jpg')
    await photos.put('photos/', '')
    const asked = {
      prefix: 'photos/',
      include: '*.jpg',
      exclude: '**/private/**',
      since: '2026-11-22T08:30:00Z',
    }
    const { keys, end } = await plan(asked)
    expect(keys).toEqual(['photos/a.jpg'])
    expect(end).toMatchObject({ listed: 1, planned: 1, done: true })
  })

  it('walks several prefixes in key order, each image once', async () => {
    const keys = ['a/1', 'a/b/2', 'b', 'b/3', 'c/4', 'c/d/5', 'ca', '～/6', '😀/7']
    await uploadAll(...keys)
    const prefix = fc.constantFrom('', 'a', 'a/', 'a/b', 'b/', 'c/', 'c/d/', 'x', '～', '😀/')
    await fc.assert(
      fc.asyncProperty(
        fc.array(prefix, { minLength: 1, maxLength: 4 }),
        fc.constantFrom('', ...keys),
        async (prefixes, cursor) => {
          const found = await plan({ prefix: prefixes }, { cursor })
          const isAsked = (key: string) => prefixes.some((one) => key.startsWith(one))
          expect(found.keys).toEqual(keys.filter((key) => inBytes(key, cursor) > 0 && isAsked(key)))
        },
      ),
      { numRuns: 60 },
    )
  })

  it('stops at a limit of images to classify, not counting skipped ones', async () => {
    await uploadAll('a', 'b', 'c', 'd', 'e')
    advanceClock(minutes(20))
    await classify('b')
    const { keys, end } = await plan({ limit: 3 })
    expect(keys).toEqual(['a', 'c', 'd'])
    expect(end).toMatchObject({ listed: 4, skipped: 1, planned: 3, done: true })
  })

  it('of an empty prefix is done at once', async () => {
    expect(await plan({ prefix: 'nothing/' })).toMatchObject({ keys: [], end: { listed: 0, done: true } })
  })

  it('refuses an unordered listing of images', async () => {
    const unordered = listing(photos, listed([objectInfo('b'), objectInfo('a')]))
    await expect(plan({}, {}, unordered)).rejects.toMatchObject({ code: 'listing_unordered' })
  })

  it('refuses an unordered listing of records, which would classify images repeatedly', async () => {
    await uploadAll('a', 'b', 'c')
    const root = `images/${model}/${photos.name}/`
    const unordered = listing(results, listed([objectInfo(`${root}b`), objectInfo(`${root}a`)]))
    await expect(plan({}, {}, photos, unordered)).rejects.toMatchObject({ code: 'listing_unordered' })
  })

  it('refuses a store that ignores the start of a listing', async () => {
    const restarting = listing(photos, listed([objectInfo('a'), objectInfo('b')]))
    const ignoring = listing(photos, () => restarting.list())
    await expect(plan({}, { cursor: 'a' }, ignoring)).rejects.toMatchObject({ code: 'listing_unordered' })
  })
})

describe('an image whose record is', () => {
  it('more than 15 minutes younger is skipped by listings alone', async () => {
    await uploadAll('a', 'b')
    advanceClock(minutes(15) + 1000)
    await classify('a')
    await classify('b')
    const source = counted(photos)
    const records = counted(results)
    const { keys, end } = await plan({}, {}, source.bucket, records.bucket)
    expect(keys).toEqual([])
    expect(end).toMatchObject({ listed: 2, skipped: 2, planned: 0 })
    expect([...source.requests, ...records.requests].map(({ method }) => method)).toEqual(['list', 'list'])
  })

  it('within 15 minutes is skipped by etag, reading the record but not the image', async () => {
    await upload('a')
    advanceClock(minutes(15))
    await classify('a')
    const source = counted(photos)
    const records = counted(results)
    const { keys, end } = await plan({}, {}, source.bucket, records.bucket)
    expect(keys).toEqual([])
    expect(end?.skipped).toBe(1)
    expect(records.requests.map(({ method }) => method).sort()).toEqual(['find', 'list'])
    expect(source.requests.map(({ method }) => method)).toEqual(['list'])
  })

  it('of another version is planned, however close in time', async () => {
    await upload('a', 'v1')
    await classify('a')
    await upload('a', 'v2')
    expect((await plan()).keys).toEqual(['a'])
    advanceClock(minutes(60))
    await upload('a', 'v3')
    expect((await plan()).keys).toEqual(['a'])
  })

  it('older but of the same bytes, uploaded again, is skipped', async () => {
    await upload('a', 'v1')
    await classify('a')
    advanceClock(minutes(60))
    await upload('a', 'v1')
    expect((await plan()).keys).toEqual([])
  })

  it('a permanent error is skipped', async () => {
    await upload('a')
    await classify('a', errorRecord('a', {}, { bucket: photos.name, etag: (await photos.head('a'))?.etag }))
    expect((await plan()).end?.skipped).toBe(1)
    advanceClock(minutes(60))
    await classify('a')
    expect((await plan()).end?.skipped).toBe(1)
  })

  it('of another model or bucket is planned', async () => {
    await upload('a')
    advanceClock(minutes(60))
    await classify('a', { model: 'other@00000000' })
    await classify('a', { bucket: 'elsewhere' })
    expect((await plan()).keys).toEqual(['a'])
  })

  it('unreadable is planned', async () => {
    await upload('a')
    await results.put(recordKey(model, { bucket: photos.name, key: 'a' }), 'not JSON')
    expect((await plan()).keys).toEqual(['a'])
  })

  it('stored elsewhere because its key is long is looked up', async () => {
    const [long, longer] = ['l'.repeat(1024), `${'l'.repeat(1023)}m`]
    await uploadAll(long, longer)
    advanceClock(minutes(60))
    await classify(long)
    expect(await plan()).toMatchObject({ keys: [longer], end: { listed: 2, skipped: 1 } })
  })

  it('fresh is planned nevertheless when forced', async () => {
    await uploadAll('a', 'b')
    advanceClock(minutes(60))
    await classify('a')
    const records = counted(results)
    expect(await plan({ force: true }, {}, photos, records.bucket)).toMatchObject({
      keys: ['a', 'b'],
      end: { listed: 2, skipped: 0 },
    })
  })

  it('planned or skipped like a naive comparison, for any keys', async () => {
    await fc.assert(
      fc.asyncProperty(anyKeys(25), anyKeys(25), async (imageKeys, recordKeys) => {
        const at = (keys: string[], root: string, lastModified: string) =>
          listed([...keys].sort(inBytes).map((key) => objectInfo(root + key, { lastModified })))
        const images = listing(photos, at(imageKeys, '', '2026-11-22T07:00:00.000Z'))
        const root = `images/${model}/${photos.name}/`
        const records = listing(results, at(recordKeys, root, '2026-11-22T08:00:00.000Z'))
        const naive = [...imageKeys].sort(inBytes).filter((key) => !recordKeys.includes(key))
        const { keys, end } = await plan({}, {}, images, records)
        expect(keys).toEqual(naive)
        expect(end).toMatchObject({ listed: imageKeys.length, planned: naive.length, done: true })
        expect(end?.skipped).toBe(imageKeys.length - naive.length)
      }),
    )
  })
})

describe('many unchanged images', () => {
  const many = (count: number) => {
    const root = `images/${model}/${photos.name}/`
    const lastModified = '2026-11-22T08:00:00.000Z'
    const keys = numbered(count)
    return {
      images: counted(listing(photos, listed(keys.map((key) => objectInfo(key))))),
      records: counted(listing(results, listed(keys.map((key) => objectInfo(root + key, { lastModified }))))),
    }
  }

  it('(100,000) are skipped without reading an image or a record', async () => {
    const { images, records } = many(100_000)
    const { end } = await plan({}, {}, images.bucket, records.bucket)
    expect(end).toMatchObject({ listed: 100_000, skipped: 100_000, planned: 0, done: true })
    expect([...images.requests, ...records.requests].map(({ method }) => method)).toEqual(['list', 'list'])
  })

  it('may take several activations, each resuming after the one before', async () => {
    const { images, records } = many(10_000)
    const interrupted = planOf()
    for await (const { position } of planChunks(interrupted, images.bucket, records.bucket)) {
      Object.assign(interrupted.plan, position)
      if (position.listed >= 5000) break
    }
    expect(interrupted.plan).toMatchObject({ done: false, planned: 0 })
    expect(interrupted.plan.listed).toBeLessThan(5200)
    const { end } = await plan({}, interrupted.plan, images.bucket, records.bucket)
    expect(end).toMatchObject({ listed: 10_000, skipped: 10_000, done: true })
  })

  it('let the planner stop often, even if one of the first images is due', async () => {
    const { records } = many(10_000)
    const images = listing(photos, listed(['a', ...numbered(10_000)].map((key) => objectInfo(key))))
    const chunks = await collect(planChunks(planOf(), images, records.bucket))
    expect(chunks.length).toBeGreaterThan(50)
    expect(chunks.filter((chunk) => chunk.images.length > 0)).toHaveLength(1)
    expect(chunks.at(-1)?.position).toMatchObject({ planned: 1, skipped: 10_000 })
  })
})

describe('chunks', () => {
  const planMissing = (count: number, asked: object = {}, from: Partial<Position> = {}) =>
    plan(asked, from, listing(photos, listed(numbered(count).map((key) => objectInfo(key)))))

  const first = Array.from({ length: 8 }, () => 32)

  it.each([
    [1, [1]],
    [4, [4]],
    [9, [4, 4, 1]],
    [60, [8, 8, 8, 8, 8, 8, 8, 4]],
    [256, Array.from({ length: 32 }, () => 8)],
    [999, [...Array.from({ length: 31 }, () => 32), 7]],
    [6400, [...first, ...Array.from({ length: 32 }, () => 192)]],
    [8256, [...first, ...Array.from({ length: 32 }, () => 250)]],
  ])('of a batch of %d images are spread over a sensible number of activations', async (count, expected) => {
    expect(sizes((await planMissing(count)).chunks)).toEqual(expected)
  })

  it('are dispatched as soon as a page is listed', async () => {
    let listedCount = 0
    const images = listing(photos, async function* () {
      for (const key of numbered(100_000)) {
        listedCount++
        yield objectInfo(key)
      }
    })
    for await (const chunk of planChunks(planOf(), images, results)) {
      expect(chunk.images).toHaveLength(32)
      break
    }
    // The next page has been requested.
    expect(listedCount).toBeLessThanOrEqual(2_100)
  })

  it('grow once the platform’s limit per minute is known', async () => {
    let isPaced = false
    const images = listing(photos, listed(numbered(20_000).map((key) => objectInfo(key))))
    const found: number[] = []
    for await (const chunk of planChunksOf(planOf(), { bucket: () => images }, results, {
      now: Date.now(),
      isPaced: () => isPaced,
    })) {
      found.push(chunk.images.length)
      isPaced ||= chunk.position.planned > 5_000
    }
    expect(new Set(found.slice(0, 27))).toEqual(new Set([32, 250]))
    expect(new Set(found.slice(27, -2))).toEqual(new Set([500]))
  })

  it('keep the requested size, however many there are', async () => {
    const planned = sizes((await planMissing(5000, { chunkSize: 50 })).chunks)
    expect(new Set(planned)).toEqual(new Set([50]))
  })

  it('begin before the listing ends when few of very many images are due', async () => {
    let listedCount = 0
    const images = listing(photos, async function* () {
      for (const key of numbered(100_000)) {
        listedCount++
        yield objectInfo(key)
      }
    })
    const root = `images/${model}/${photos.name}/`
    const lastModified = '2026-11-22T08:00:00.000Z'
    const records = listing(results, async function* () {
      for (const [index, key] of numbered(100_000).entries()) {
        if (index % 50 > 0) yield objectInfo(root + key, { lastModified })
      }
    })
    for await (const chunk of planChunks(planOf(), images, records)) {
      if (chunk.images.length === 0) continue
      expect(chunk.images.length).toBeGreaterThan(10)
      break
    }
    expect(listedCount).toBeLessThan(45_000)
  })

  it('do not exceed the requested size', async () => {
    expect(sizes((await planMissing(10, { chunkSize: 3 })).chunks)).toEqual([3, 3, 3, 1])
  })

  it('have each due image once, at consecutive positions, for any counts', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(300), fc.integer({ min: 1, max: 30 }), async (count, chunkSize) => {
        const { chunks, keys } = await planMissing(count, { chunkSize })
        expect(keys).toEqual(numbered(count))
        for (const [index, chunk] of chunks.entries()) {
          expect(chunk.position.planned).toBe(
            sizes(chunks.slice(0, index + 1)).reduce((sum, n) => sum + n, 0),
          )
          expect(chunk.images.at(-1)?.key).toBe(chunk.position.cursor)
          expect(chunk.images.length).toBeGreaterThan(0)
          expect(chunk.images.length).toBeLessThanOrEqual(chunkSize)
        }
      }),
      { numRuns: 60 },
    )
  })

  it('miss and repeat nothing when planning resumes at any cursor', async () => {
    const missing = fc.array(fc.boolean(), { minLength: 1, maxLength: 300, size: 'max' })
    await fc.assert(
      fc.asyncProperty(
        missing,
        fc.integer({ min: 1, max: 12 }),
        fc.nat(),
        async (isMissing, chunkSize, stop) => {
          const keys = numbered(isMissing.length)
          const images = listing(photos, listed(keys.map((key) => objectInfo(key))))
          const root = `images/${model}/${photos.name}/`
          const known = keys.filter((_, index) => !isMissing[index])
          const lastModified = '2026-11-22T08:00:00.000Z'
          const records = listing(
            results,
            listed(known.map((key) => objectInfo(root + key, { lastModified }))),
          )
          const all = await collect(planChunks(planOf({ chunkSize }), images, records))
          const reached = stop % all.length
          const resumed = planOf({ chunkSize }, all[reached]?.position)
          if (resumed.plan.done) return
          const rest = await collect(planChunks(resumed, images, records))
          const imagesOf = (chunks: Planned[]) => chunks.flatMap((chunk) => chunk.images)
          expect(imagesOf(rest)).toEqual(imagesOf(all.slice(reached + 1)))
          expect(rest.at(-1)?.position).toEqual(all.at(-1)?.position)
        },
      ),
      { numRuns: 60 },
    )
  })

  it('keep to the limit of the whole run when planning resumes', async () => {
    const asked = { limit: 10, chunkSize: 1 }
    const from = { cursor: 'k000003', listed: 4, planned: 4 }
    expect((await planMissing(20, asked, from)).keys).toEqual(numbered(10).slice(4))
  })
})

describe('images classified right after their upload', () => {
  const keys = numbered(20)

  async function classifyAll(): Promise<void> {
    for (const key of keys) {
      await upload(key)
      await classify(key)
    }
  }

  /** The requests of a walk to the results bucket, besides listings. */
  async function walk(readOnly = false): Promise<Set<string>> {
    const { bucket, requests } = counted(results)
    const chunks = await collect(planChunks(planOf(), photos, bucket, readOnly))
    expect(chunks.at(-1)?.position).toMatchObject({ listed: 20, skipped: 20, planned: 0 })
    return new Set(requests.map(({ method }) => method).filter((method) => method !== 'list'))
  }

  it('are verified once more, and by listings alone from then on', async () => {
    await classifyAll()
    expect(await walk()).toEqual(new Set(['find']))
    advanceClock(minutes(16))
    expect(await walk(true)).toEqual(new Set(['find']))
    expect(await walk()).toEqual(new Set(['find', 'put']))
    expect(await walk()).toEqual(new Set())
    await upload('k000003', 'another')
    expect((await plan()).keys).toEqual(['k000003'])
  })
})

describe('deleted images', () => {
  const gone = async (asked: object = {}) => {
    const chunks = await collect(planChunks(planOf(asked), photos, results))
    return { gone: chunks.flatMap((chunk) => chunk.gone), swept: chunks.at(-1)?.position.swept }
  }

  beforeEach(async () => {
    await uploadAll('b')
    for (const key of ['a', 'b', 'c']) await classify(key)
  })

  it('are found by their records when the run lists everything', async () => {
    expect(await gone()).toEqual({ gone: ['a', 'c'], swept: true })
    expect(await gone({ prefix: 'a' })).toEqual({ gone: ['a'], swept: true })
  })

  it('are not reported by a filtered run', async () => {
    expect(await gone({ include: '*' })).toEqual({ gone: [], swept: false })
    expect(await gone({ limit: 1 })).toMatchObject({ gone: [] })
  })
})
