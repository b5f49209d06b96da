import { type AggregateContext, aggregate, classifiedSchema } from '../../src/batch/chunk/aggregate'
import { isReported, listParts, writePart } from '../../src/batch/chunk/parts'
import { readRecord } from '../../src/batch/chunk/record'
import { resultsKey } from '../../src/batch/layout'
import { nextPass, onePage, type Plan } from '../../src/batch/plan/plan'
import type { ChunkMessage } from '../../src/batch/run/dispatch'
import { readSummary } from '../../src/batch/summary/summary-object'
import { OpenWhiskError, StorageError } from '../../src/errors'
import { batchRequestSchema } from '../../src/schema'
import type { Bucket } from '../../src/storage/store'
import {
  advanceClock,
  collect,
  errorRecord,
  minutes,
  model,
  okRecord,
  planOf,
  savePlan,
  setClock,
  silentOpenWhisk,
  startTestStore,
  type TestStore,
  watched,
} from './batch-fixtures'

let objects: TestStore
let photos: Bucket
let results: Bucket
let sent: ChunkMessage[]
let closings: object[]
let resumed: string[]

beforeAll(async () => {
  objects = await startTestStore()
})
afterAll(() => objects.close())
beforeEach(async () => {
  setClock('2026-11-22T08:00:30Z')
  photos = await objects.newBucket()
  results = await objects.newBucket()
  sent = []
  closings = []
  resumed = []
})
afterEach(() => jest.useRealTimers())

const context = (changes: Partial<AggregateContext> = {}): AggregateContext => ({
  store: objects.store,
  results,
  openwhisk: {
    ...silentOpenWhisk,
    invoke: async (name, message) => {
      expect(name).toBe('/guest/whisklens/classify-images')
      sent.push(message as ChunkMessage)
      return 'a9'
    },
  },
  resume: async (batch) => resumed.push(batch),
  reconcile: async () => {},
  activationId: 'a1',
  sequence: '/guest/whisklens/classify-images',
  onClosed: async (summary) => {
    closings.push(summary)
  },
  ...changes,
})

const donePlan = (planned: number, changes: Partial<Plan> = {}): Plan =>
  planOf(photos.name, {}, { planned, listed: planned, next: planned, done: true, ...changes })

const images = (keys: string[]) =>
  keys.map((key) =>
    key.startsWith('bad')
      ? errorRecord(key, {}, { bucket: photos.name })
      : okRecord(key, { bucket: photos.name }),
  )

const piece = (start: number, end: number, keys: string[]) => ({
  batch: 'b1',
  images: images(keys),
  part: { start, end, chunk: { start: 0, end: 4 }, model: 'tiny' },
})

const newest = (key: string) => readRecord(results, model, { bucket: photos.name, key })

describe('aggregating a piece of a batch', () => {
  it('keeps each record as the newest of its image and all together as a part', async () => {
    await savePlan(results, donePlan(4))
    const aggregated = await aggregate(piece(0, 2, ['a', 'bad']), context())
    expect(aggregated).toEqual({ batches: ['b1'], records: { ok: 1, error: 1 }, closed: false })
    expect(await newest('a')).toMatchObject({ status: 'ok' })
    expect(await newest('bad')).toMatchObject({ error: { code: 'image_corrupt' } })
    expect(await collect(listParts(results, 'b1'))).toMatchObject([{ start: 0, end: 2, errors: 1 }])
    expect(sent).toEqual([])
  })

  it('dispatches what the classifier had no time for, and names who goes on with it', async () => {
    await savePlan(results, donePlan(4))
    expect(await aggregate(piece(1, 4, ['b']), context())).toMatchObject({ next: 'a9' })
    expect(sent).toEqual([{ batch: 'b1', chunk: { start: 0, end: 4 }, start: 2, end: 4, model: 'tiny' }])
  })

  it('changes nothing when it is repeated', async () => {
    await savePlan(results, donePlan(2))
    await aggregate(piece(0, 2, ['a', 'b']), context())
    const before = await collect(results.list())
    const again = await aggregate(piece(0, 2, ['a', 'b']), context())
    expect(again.closed).toBe(false)
    expect((await collect(results.list())).map(({ key, etag }) => [key, etag])).toEqual(
      before.map(({ key, etag }) => [key, etag]),
    )
    expect(closings).toHaveLength(1)
  })

  it('closes a small batch with its last part and tells of it', async () => {
    await savePlan(results, donePlan(3))
    expect((await aggregate(piece(0, 1, ['a']), context())).closed).toBe(false)
    expect(await readSummary(results, 'b1')).toBeUndefined()
    expect((await aggregate(piece(1, 3, ['b', 'c']), context())).closed).toBe(true)
    expect(closings).toEqual([await readSummary(results, 'b1')])
  })

  it('leaves a batch alone that was fired again while it was being closed', async () => {
    await savePlan(results, donePlan(1))
    const request = batchRequestSchema.parse({})
    const put: Bucket['put'] = async (key, ...rest) => {
      if (key === resultsKey('b1', 'results.csv'))
        await savePlan(results, nextPass(donePlan(1), request, { model: 'tiny', modelVersion: model }))
      return results.put(key, ...rest)
    }
    const late = context({ results: { ...results, put } })
    expect((await aggregate(piece(0, 1, ['a']), late)).closed).toBe(false)
    expect(await readSummary(results, 'b1')).toBeUndefined()
    expect(closings).toEqual([])
  })

  it('does not close a batch that is still being planned', async () => {
    await savePlan(results, donePlan(2, { done: false }))
    expect((await aggregate(piece(0, 2, ['a', 'b']), context())).closed).toBe(false)
  })

  it('leaves the closing of a large batch to start-batch: listing all parts after each would cost their square', async () => {
    await savePlan(results, donePlan(onePage + 1))
    await writePart(
      results,
      'b1',
      2,
      images(Array.from({ length: onePage - 1 }, (_, number) => `k${number}`)),
      'a2',
    )
    expect(await isReported(results, donePlan(onePage + 1))).toBe(false)
    expect((await aggregate(piece(0, 2, ['a', 'b']), context())).closed).toBe(false)
    expect(await isReported(results, donePlan(onePage + 1))).toBe(true)
  })

  it('reports the piece although the source refuses to tell the current version of one image', async () => {
    await savePlan(results, donePlan(2))
    await aggregate(piece(0, 1, ['a']), context())
    const refused = () => Promise.reject(new StorageError('access_denied', 403, 'Could not read'))
    const closed = { bucket: () => ({ ...photos, head: refused }) }
    const newer = images(['a', 'b']).map((record) => ({ ...record, etag: 'v2' }))
    const aggregated = await aggregate({ ...piece(0, 2, []), images: newer }, context({ store: closed }))
    expect(aggregated.closed).toBe(true)
    expect(await newest('a')).toMatchObject({ etag: 'v1' })
  })

  it('fails as a whole, without a part, when the store fails: the chunk is dispatched again', async () => {
    const failing = () =>
      Promise.reject(new StorageError('store_failed', 503, 'Slow down', { retryable: true }))
    const isRecord = (key: string) => key.startsWith('images/')
    const put: Bucket['put'] = (key, ...rest) => (isRecord(key) ? failing() : results.put(key, ...rest))
    const down = context({ results: { ...results, put } })
    await expect(aggregate(piece(0, 2, ['a', 'b']), down)).rejects.toMatchObject({ retryable: true })
    expect(await collect(listParts(results, 'b1'))).toEqual([])
  })
})

describe('aggregating uploads', () => {
  it('adds the records to the batch of their day', async () => {
    const aggregated = await aggregate({ images: images(['a', 'bad']) }, context())
    expect(aggregated).toEqual({
      batches: ['uploads-2026-11-22'],
      records: { ok: 1, error: 1 },
      closed: false,
    })
    expect((await readSummary(results, 'uploads-2026-11-22'))?.totals).toMatchObject({ ok: 1, error: 1 })
    expect(await newest('a')).toMatchObject({ status: 'ok' })
  })

  it('has the days before closed, once a day', async () => {
    let reconciled = 0
    const reconcile = async () => ++reconciled
    const upload = (key: string) => aggregate({ images: images([key]) }, context({ reconcile }))
    setClock('2026-11-22T00:14:00Z')
    await upload('a')
    expect(reconciled).toBe(0)
    setClock('2026-11-22T00:16:00Z')
    await upload('b')
    await upload('c')
    expect(reconciled).toBe(1)
  })

  it('has the days before closed also where somebody could not, or died over it', async () => {
    let reconciled = 0
    const sending = (reconcile: () => Promise<unknown>) => (key: string) =>
      aggregate({ images: images([key]) }, context({ reconcile }))
    setClock('2026-11-22T00:16:00Z')
    const throttled = sending(() => Promise.reject(new OpenWhiskError(429, 'Too many', { retryable: true })))
    await expect(throttled('a')).rejects.toThrow('Too many')
    // Others leave it to whoever is about to, for a while.
    const upload = sending(async () => ++reconciled)
    await upload('b')
    expect(reconciled).toBe(0)
    advanceClock(minutes(1))
    await upload('c')
    expect(reconciled).toBe(1)
    advanceClock(minutes(60))
    await upload('d')
    expect(reconciled).toBe(1)
  })

  it('dispatches what the classifier had no time for, even if the summary fails', async () => {
    const failing = watched(results, ({ key }) => {
      if (key.endsWith('progress.json')) throw new StorageError('store_failed', 503, 'Slow down')
    })
    const rest = [{ bucket: photos.name, key: 'b' }]
    await expect(aggregate({ images: images(['a']), rest }, context({ results: failing }))).rejects.toThrow()
    expect(sent).toEqual([{ images: rest }])
  })

  it('leaves no record that a poll would take for done, unless its batch has it', async () => {
    const failing = watched(results, ({ key }) => {
      if (key.includes('/parts/')) throw new StorageError('store_failed', 503, 'Slow down')
    })
    await expect(aggregate({ images: images(['a']) }, context({ results: failing }))).rejects.toThrow()
    expect(await newest('a')).toBeUndefined()
  })

  it('without any record writes nothing', async () => {
    expect(await aggregate({ images: [] }, context())).toEqual({
      batches: [],
      records: { ok: 0, error: 0 },
      closed: false,
    })
    expect(await collect(results.list())).toEqual([])
  })

  it('leaves out the record of an image that was overwritten meanwhile, but counts what was done', async () => {
    const etag = await photos.put('a', 'v1')
    const records = [okRecord('a', { bucket: photos.name, etag })]
    await photos.put('a', 'v2')
    jest.setSystemTime(Date.now() + minutes(20))
    await aggregate({ images: records }, context())
    expect(await newest('a')).toBeUndefined()
    expect((await readSummary(results, 'uploads-2026-11-22'))?.totals.ok).toBe(1)
  })
})

describe('a message to aggregate', () => {
  it('is what classify hands on', () => {
    expect(classifiedSchema.safeParse(piece(0, 1, ['a'])).success).toBe(true)
    expect(classifiedSchema.safeParse({ images: images(['a']) }).success).toBe(true)
  })

  it('may carry the package’s settings, but no record of another schema', () => {
    expect(classifiedSchema.safeParse({ images: [], s3Endpoint: 'http://127.0.0.1:9000' }).success).toBe(true)
    expect(classifiedSchema.safeParse({ images: [{ key: 'a' }] }).success).toBe(false)
    expect(classifiedSchema.safeParse({ results: [{ className: 'tabby', probability: 1 }] }).success).toBe(
      false,
    )
  })
})
