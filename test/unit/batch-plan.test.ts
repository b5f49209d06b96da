import fc from 'fast-check'
import { recordKey } from '../../src/batch/layout'
import { newPlan, nextPass, type Plan, readPlan } from '../../src/batch/plan/plan'
import { type PlannedChunk, planChunks } from '../../src/batch/plan/planning'
import { batchRequestSchema } from '../../src/schema'
import type { Bucket, ObjectInfo } from '../../src/storage/store'
import {
  advanceClock,
  anyKeys,
  collect,
  counted,
  errorRecord,
  inBytes,
  listing,
  minutes,
  model,
  objectInfo,
  okRecord,
  planOf,
  savePlan,
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

const upload = (key: string, content = 'v1'): Promise<string> => photos.put(key, content)

async function uploadAll(...keys: string[]): Promise<void> {
  for (const key of keys) await upload(key)
}

/** Writes the record of an image as it is now. */
async function classify(key: string, changes: object = {}): Promise<void> {
  const etag = (await photos.head(key))?.etag ?? null
  const record = okRecord(key, { bucket: photos.name, etag, ...changes })
  await results.put(recordKey(record.model, record), JSON.stringify(record))
}

async function plan(asked: object = {}, from: Partial<Plan> = {}, images = photos, records = results) {
  const chunks = await collect(planChunks(planOf(photos.name, asked, from), images, records))
  return {
    chunks: chunks.filter((chunk) => chunk.images.length > 0),
    keys: chunks.flatMap((chunk) => chunk.images.map(({ key }) => key)),
    end: chunks.at(-1)?.position,
  }
}

/** A listing of made-up objects, with the prefix and the start that S3 knows. */
const listed = (all: ObjectInfo[]): Bucket['list'] =>
  async function* ({ prefix = '', startAfter } = {}) {
    for (const object of all) {
      if (object.key.startsWith(prefix) && (!startAfter || inBytes(object.key, startAfter) > 0)) yield object
    }
  }

const numbered = (count: number): string[] =>
  Array.from({ length: count }, (_, number) => `k${String(number).padStart(6, '0')}`)

const sizes = (chunks: PlannedChunk[]): number[] => chunks.map(({ images }) => images.length)

describe('planning', () => {
  it('names every image in the order of the listing, with what the listing says of it', async () => {
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

  it('selects by prefix, globs and time, and counts only what is selected', async () => {
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

  it('stops at a limit of images to be classified, skipped ones not counted', async () => {
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

  it('refuses an unordered listing of images rather than to guess', async () => {
    const unordered = listing(photos, listed([objectInfo('b'), objectInfo('a')]))
    await expect(plan({}, {}, unordered)).rejects.toMatchObject({ code: 'listing_unordered' })
  })

  it('refuses an unordered listing of records, by which images would be classified again and again', async () => {
    await uploadAll('a', 'b', 'c')
    const root = `images/${model}/${photos.name}/`
    const unordered = listing(results, listed([objectInfo(`${root}b`), objectInfo(`${root}a`)]))
    await expect(plan({}, {}, photos, unordered)).rejects.toMatchObject({ code: 'listing_unordered' })
  })

  it('refuses a store that does not know how to start after a key', async () => {
    const restarting = listing(photos, listed([objectInfo('a'), objectInfo('b')]))
    const ignoring = listing(photos, () => restarting.list())
    await expect(plan({}, { cursor: 'a' }, ignoring)).rejects.toMatchObject({ code: 'listing_unordered' })
  })
})

describe('an image whose record is', () => {
  it('more than 15 minutes younger is skipped, and nothing but listings is asked for', async () => {
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

  it('of within 15 minutes is skipped by its etag; the record is read, the image never', async () => {
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

  it('of another version is planned, however close they are', async () => {
    await upload('a', 'v1')
    await classify('a')
    await upload('a', 'v2')
    expect((await plan()).keys).toEqual(['a'])
    advanceClock(minutes(60))
    await upload('a', 'v3')
    expect((await plan()).keys).toEqual(['a'])
  })

  it('older, but of the very same bytes uploaded once more, is skipped', async () => {
    await upload('a', 'v1')
    await classify('a')
    advanceClock(minutes(60))
    await upload('a', 'v1')
    expect((await plan()).keys).toEqual([])
  })

  it('an error that cannot change is skipped', async () => {
    await upload('a')
    await classify('a', errorRecord('a', {}, { bucket: photos.name, etag: (await photos.head('a'))?.etag }))
    expect((await plan()).end?.skipped).toBe(1)
    advanceClock(minutes(60))
    await classify('a')
    expect((await plan()).end?.skipped).toBe(1)
  })

  it('of another model or of another bucket is planned', async () => {
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

  it('listed elsewhere, for its key is too long, is looked up', async () => {
    const [long, longer] = ['l'.repeat(1024), `${'l'.repeat(1023)}m`]
    await uploadAll(long, longer)
    advanceClock(minutes(60))
    await classify(long)
    expect(await plan()).toMatchObject({ keys: [longer], end: { listed: 2, skipped: 1 } })
  })

  it('there is planned nevertheless when forced', async () => {
    await uploadAll('a', 'b')
    advanceClock(minutes(60))
    await classify('a')
    const records = counted(results)
    expect(await plan({ force: true }, {}, photos, records.bucket)).toMatchObject({
      keys: ['a', 'b'],
      end: { listed: 2, skipped: 0 },
    })
  })

  it('planned or skipped as a naive comparison says, for any keys', async () => {
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

  it('may take several activations: none begins where an earlier one began', async () => {
    const { images, records } = many(10_000)
    const interrupted = planOf(photos.name)
    for await (const { position } of planChunks(interrupted, images.bucket, records.bucket)) {
      Object.assign(interrupted, position)
      if (interrupted.listed >= 5000) break
    }
    expect(interrupted).toMatchObject({ done: false, planned: 0 })
    expect(interrupted.listed).toBeLessThan(5200)
    const { end } = await plan({}, interrupted, images.bucket, records.bucket)
    expect(end).toMatchObject({ listed: 10_000, skipped: 10_000, done: true })
  })

  it('give the planner many moments to stop at, although one image among the first is missing', async () => {
    const { records } = many(10_000)
    const images = listing(photos, listed(['a', ...numbered(10_000)].map((key) => objectInfo(key))))
    const chunks = await collect(planChunks(planOf(photos.name), images, records.bucket))
    expect(chunks.length).toBeGreaterThan(50)
    expect(chunks.filter((chunk) => chunk.images.length > 0)).toHaveLength(1)
    expect(chunks.at(-1)?.position).toMatchObject({ planned: 1, skipped: 10_000 })
  })
})

describe('chunks', () => {
  const planMissing = (count: number, asked: object = {}, from: Partial<Plan> = {}) =>
    plan(asked, from, listing(photos, listed(numbered(count).map((key) => objectInfo(key)))))

  it.each([
    [1, [1]],
    [4, [4]],
    [9, [4, 4, 1]],
    [32, [4, 4, 4, 4, 4, 4, 4, 4]],
    [64, [8, 8, 8, 8, 8, 8, 8, 8]],
    [65, [9, 9, 9, 9, 9, 9, 9, 2]],
    [400, [50, 50, 50, 50, 50, 50, 50, 50]],
    [430, [50, 50, 50, 50, 50, 50, 50, 50, 30]],
  ])('of a batch of %d are small enough to keep eight activations busy', async (count, expected) => {
    expect(sizes((await planMissing(count)).chunks)).toEqual(expected)
  })

  it.each([
    [2000, 50],
    [2001, 250],
    [5000, 250],
  ])('of a batch of %d are of %d images', async (count, expected) => {
    const planned = sizes((await planMissing(count)).chunks)
    expect(planned.slice(0, -1).every((images) => images === expected)).toBe(true)
    expect(planned.reduce((sum, images) => sum + images, 0)).toBe(count)
  })

  it('stay as large as they were asked for, however many there are', async () => {
    const planned = sizes((await planMissing(5000, { chunkSize: 50 })).chunks)
    expect(new Set(planned)).toEqual(new Set([50]))
  })

  it('keep their size where planning passes by images that need nothing', async () => {
    const keys = numbered(6000)
    const root = `images/${model}/${photos.name}/`
    const known = keys
      .slice(3000)
      .map((key) => objectInfo(root + key, { lastModified: '2026-11-22T08:00:00.000Z' }))
    const images = listing(photos, listed(keys.map((key) => objectInfo(key))))
    const chunks = await collect(planChunks(planOf(photos.name), images, listing(results, listed(known))))
    const first = chunks.findIndex((chunk) => chunk.images.length > 0)
    const told = chunks.slice(first).map(({ position }) => position.chunkSize)
    expect(new Set(told)).toEqual(new Set([250]))
    expect(chunks.at(-1)?.position).toMatchObject({ planned: 3000, skipped: 3000, done: true })
  })

  it('are begun before the listing ends where some hundred images are missing among very many', async () => {
    let looked = 0
    const images = listing(photos, async function* () {
      for (const key of numbered(100_000)) {
        looked++
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
    for await (const chunk of planChunks(planOf(photos.name), images, records)) {
      if (chunk.images.length === 0) continue
      expect(chunk.images).toHaveLength(50)
      break
    }
    expect(looked).toBeLessThan(25_000)
  })

  it('are no larger than was asked for', async () => {
    expect(sizes((await planMissing(10, { chunkSize: 3 })).chunks)).toEqual([3, 3, 3, 1])
  })

  it('hold each missing image once, all of one size but the last, for any counts', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(300), fc.integer({ min: 1, max: 30 }), async (count, chunkSize) => {
        const { chunks, keys } = await planMissing(count, { chunkSize })
        expect(keys).toEqual(numbered(count))
        const size = chunks[0]?.position.chunkSize
        for (const [index, chunk] of chunks.entries()) {
          expect(chunk.position.chunkSize).toBe(size)
          expect(chunk.position.planned).toBe(
            sizes(chunks.slice(0, index + 1)).reduce((sum, n) => sum + n, 0),
          )
          expect(chunk.images.at(-1)?.key).toBe(chunk.position.cursor)
          if (index < chunks.length - 1) expect(chunk.images).toHaveLength(size ?? 0)
        }
      }),
      { numRuns: 60 },
    )
  })

  it('are the same when planning resumes at any cursor in the middle', async () => {
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
          const all = await collect(planChunks(planOf(photos.name, { chunkSize }), images, records))
          const reached = stop % all.length
          const resumed = planOf(photos.name, { chunkSize }, all[reached]?.position)
          if (resumed.done) return
          const rest = await collect(planChunks(resumed, images, records))
          const full = (chunks: PlannedChunk[]) => chunks.filter((chunk) => chunk.images.length > 0)
          expect(full(rest)).toEqual(full(all.slice(reached + 1)))
          expect(rest.at(-1)).toEqual(all.at(-1))
        },
      ),
      { numRuns: 60 },
    )
  })

  it('keep to the limit of the whole pass when planning resumes', async () => {
    const asked = { limit: 10, chunkSize: 1 }
    const from = { cursor: 'k000003', listed: 4, planned: 4 }
    expect((await planMissing(20, asked, from)).keys).toEqual(numbered(10).slice(4))
  })

  it('are given out as soon as one is full, once their size is known', async () => {
    let looked = 0
    const images = listing(photos, async function* () {
      for (const key of numbered(1000)) {
        looked++
        yield objectInfo(key)
      }
    })
    const from = { planned: 50, listed: 50, cursor: 'a' }
    const chunks = planChunks(planOf(photos.name, { chunkSize: 50 }, from), images, results)
    await chunks.next()
    expect(looked).toBeGreaterThanOrEqual(50)
    expect(looked).toBeLessThan(70)
    await chunks.return(undefined)
  })
})

describe('a batch that is fired again', () => {
  const closed = (changes: Partial<Plan> = {}): Plan =>
    planOf(
      photos.name,
      { chunkSize: 2 },
      {
        planned: 3,
        listed: 3,
        next: 3,
        cursor: 'c',
        done: true,
        chunkSize: 2,
        ...changes,
      },
    )
  const again = (plan: Plan, asked: object = {}, version = model): Plan =>
    nextPass(plan, batchRequestSchema.parse(asked), { model: 'tiny', modelVersion: version })

  it('plans what was added or changed since, at positions of their own', async () => {
    await uploadAll('a', 'b', 'c')
    advanceClock(minutes(20))
    for (const key of ['a', 'b', 'c']) await classify(key)
    advanceClock(minutes(20))
    await uploadAll('aa')
    await upload('b', 'v2')
    const second = again(closed())
    expect(second).toMatchObject({ passes: [0, 3], planned: 3, done: false, cursor: '', listed: 0 })
    const { keys, end } = await plan({}, second)
    expect(keys).toEqual(['aa', 'b'])
    expect(end).toMatchObject({ listed: 4, skipped: 2, planned: 5, done: true })
  })

  it('redoes all when forced, though the first time was not', async () => {
    await uploadAll('a', 'b')
    advanceClock(minutes(20))
    await classify('a')
    expect((await plan({}, again(closed(), { force: true }))).keys).toEqual(['a', 'b'])
    expect(again(closed({ force: true })).force).toBe(false)
  })

  it('does not go by the chunk size of a small first pass', () => {
    expect(again(closed())).toMatchObject({ chunkSize: 50, largestChunk: 250 })
    expect(again(closed(), { chunkSize: 7 })).toMatchObject({ chunkSize: 7, largestChunk: 7 })
  })

  it('goes by the filters of its request, and by none of those before', async () => {
    await uploadAll('a.jpg', 'b.png', 'c.jpg')
    const filtered = closed({ include: '*.jpg', limit: 1, minSize: 1 })
    expect((await plan({}, again(filtered))).keys).toEqual(['a.jpg', 'b.png', 'c.jpg'])
    expect((await plan({}, again(closed(), { exclude: 'a*', maxSize: '1k' }))).keys).toEqual([
      'b.png',
      'c.jpg',
    ])
  })

  it('does not count errors of the time before against maxErrors', () => {
    expect(again(closed({ errors: 3 }), { maxErrors: 2 }).before).toEqual({ reported: 3, errors: 3 })
  })

  it('has nothing left of the pass before, even if its last state was never stored', () => {
    const stale = closed({
      next: 1,
      outstanding: [{ start: 0, end: 1, chunk: { start: 0, end: 1 }, at: 0, attempts: 1 }],
    })
    expect(again(stale)).toMatchObject({ next: 3, outstanding: [] })
  })

  it('goes by the model that answers now', async () => {
    await upload('a')
    advanceClock(minutes(20))
    await classify('a')
    expect((await plan({}, again(closed()))).keys).toEqual([])
    expect((await plan({}, again(closed(), {}, 'tiny@ffffffff'))).keys).toEqual(['a'])
  })
})

describe('a batch that is retried', () => {
  const retry = (plan: Plan, asked: object = {}): Plan =>
    nextPass(plan, batchRequestSchema.parse({ retry: true, ...asked }), {
      model: 'tiny',
      modelVersion: model,
    })

  it('keeps to its filters', async () => {
    await uploadAll('a.jpg', 'b.png', 'c.jpg')
    const filtered = planOf(photos.name, { include: '*.jpg' }, { planned: 2, done: true, cursor: 'c.jpg' })
    expect((await plan({}, retry(filtered))).keys).toEqual(['a.jpg', 'c.jpg'])
  })

  it('takes no image in the place of those that a limit of its own left out', async () => {
    await uploadAll('a', 'b', 'c', 'd', 'e')
    const limited = planOf(photos.name, { limit: 3, chunkSize: 10 })
    for await (const { position } of planChunks(limited, photos, results)) Object.assign(limited, position)
    expect(limited.planned).toBe(3)
    advanceClock(minutes(20))
    await classify('a')
    const second = retry(limited)
    const { keys, end } = await plan({}, second)
    expect(keys).toEqual(['b', 'c'])
    expect(end).toMatchObject({ listed: 3, skipped: 1, done: true })
    const third = retry({ ...second, ...end }, { limit: 1 })
    expect((await plan({}, third)).keys).toEqual(['b'])
    const fourth = nextPass({ ...third, done: true }, batchRequestSchema.parse({}), {
      model: 'tiny',
      modelVersion: model,
    })
    expect((await plan({}, fourth)).keys).toEqual(['b', 'c', 'd', 'e'])
  })
})

describe('plan.json', () => {
  it('reads back as it was saved', async () => {
    expect(await readPlan(results, 'b1')).toBeUndefined()
    const asked = batchRequestSchema.parse({
      prefix: 'x/',
      since: '2026-01-01',
      limit: 5,
      include: '*.jpg',
      force: 'true',
    })
    const saved = newPlan('b1', asked, {
      bucket: 'photos',
      model: 'tiny',
      modelVersion: model,
      now: new Date(),
    })
    await savePlan(results, saved)
    expect(await readPlan(results, 'b1')).toEqual(saved)
  })

  it('stays small however large the batch', async () => {
    const outstanding = Array.from({ length: 60 }, (_, number) => ({
      start: number * 50,
      end: number * 50 + 50,
      chunk: { start: number * 50, end: number * 50 + 50 },
      at: Date.now(),
      attempts: 1,
    }))
    await savePlan(results, planOf('photos', {}, { planned: 1_000_000, listed: 1_000_000, outstanding }))
    expect((await results.head('batches/b1/plan.json'))?.size).toBeLessThan(10_000)
  })
})
