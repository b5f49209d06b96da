import { listParts } from '../../src/batch/records/parts'
import { readRecord } from '../../src/batch/records/record'
import { aggregate, type Classified, classifiedSchema } from '../../src/batch/running/aggregate'
import { readBatch } from '../../src/batch/state/batch'
import { recordKey, retryKey } from '../../src/batch/state/layout'
import { listArrivals } from '../../src/batch/uploads/arrivals'
import { isoOf } from '../../src/clock'
import { StorageError } from '../../src/errors'
import type { ImageRecord } from '../../src/schema'
import type { Bucket, Store } from '../../src/storage/store'
import {
  collect,
  doneBatch,
  errorRecord,
  minutes,
  model,
  okRecord,
  saveBatch,
  startTestStore,
  type TestStore,
  watched,
} from './batch-fixtures'
import { newRunner, type Runner } from './batch-runner'

let objects: TestStore
let runner: Runner

beforeAll(async () => {
  objects = await startTestStore()
})
afterAll(() => objects.close())
beforeEach(async () => {
  runner = await newRunner(objects)
  runner.openwhisk.invoke = async (name, params) => `a${runner.invoked.push({ name, params })}`
})

const chunk = { start: 0, end: 4, epoch: 1 }
const now = () => isoOf(runner.clock.now())

const images = (keys: string[], changes: Partial<ImageRecord> = {}) =>
  keys.map((key) => {
    const at = { bucket: runner.photos.name, at: now(), ...changes }
    return key.startsWith('bad') ? errorRecord(key, {}, at) : okRecord(key, at)
  })

const piece = (start: number, end: number, keys: string[]): Classified => ({
  batch: 'b1',
  images: images(keys),
  part: { start, end, chunk, model: 'tiny', by: 1 },
})

const report = (message: Classified, results?: Bucket) =>
  aggregate(message, { ...runner.context(), ...(results && { results }) })

const newest = (key: string) => readRecord(runner.results, model, { bucket: runner.photos.name, key })

const under = (end: number) => ({ start: 0, end, chunk, at: 1, attempts: 1, by: 1, activationId: 'c' })

/** A batch with four dispatched images, with or without a live holder. */
const begin = async (isHeld: boolean): Promise<void> => {
  const batch = doneBatch(runner.photos.name, 4, { dispatch: { pieces: [under(4)] } })
  const lease = { ...batch.lease, holder: isHeld ? 'another' : null, epoch: 1 }
  await saveBatch(runner.results, { ...batch, lease })
}

const asked = (action: string) => runner.invoked.filter(({ name }) => name.endsWith(`/${action}`))

describe('aggregating a piece of a batch', () => {
  it('stores each record as its image’s newest, and all of them as a part', async () => {
    await begin(true)
    expect(await report(piece(0, 2, ['a', 'bad']))).toEqual({
      batches: ['b1'],
      records: { ok: 1, error: 1 },
      next: undefined,
    })
    expect(await newest('a')).toMatchObject({ status: 'ok' })
    expect(await newest('bad')).toMatchObject({ error: { code: 'image_corrupt' } })
    expect(await collect(listParts(runner.results, 'b1'))).toMatchObject([{ start: 0, end: 2, errors: 1 }])
    expect(runner.invoked).toEqual([])
  })

  it('dispatches the images that classify had no time for, and names the successor', async () => {
    await begin(true)
    expect(await report(piece(1, 4, ['b']))).toMatchObject({ next: 'a1' })
    expect(asked('classify-images')).toMatchObject([
      { params: { batch: 'b1', by: 1, chunk, start: 2, end: 4, model: 'tiny' } },
    ])
  })

  it('writes a retry note for a retryable failure', async () => {
    await begin(true)
    const failed = errorRecord(
      'a',
      { code: 'download_failed', retryable: true },
      { bucket: runner.photos.name },
    )
    await report({ ...piece(0, 1, []), images: [failed] })
    expect(await newest('a')).toBeUndefined()
    const { body } = await runner.results.get(retryKey(model, failed))
    expect(JSON.parse(body.toString())).toEqual({ etag: 'v1', tries: 1, at: failed.at })
  })

  it('invokes nothing while the holder lives, except for the part that may be the last', async () => {
    await begin(true)
    await report(piece(0, 2, ['a', 'b']))
    expect(asked('start-batch')).toEqual([])
    await report(piece(2, 4, ['c', 'd']))
    expect(asked('start-batch')).toMatchObject([{ params: { advance: 'b1' } }])
    // Of several that end at once, one invokes an activation.
    await report(piece(2, 4, ['c', 'd']))
    expect(asked('start-batch')).toHaveLength(1)
  })

  it('invokes an activation when the holder is gone', async () => {
    await begin(false)
    await report(piece(0, 2, ['a', 'b']))
    expect(asked('start-batch')).toMatchObject([{ params: { advance: 'b1' } }])
    expect(await runner.start({ advance: 'b1' }, { deadline: 0 })).toMatchObject({ batch: 'b1' })
  })

  it('fails without writing a part when the store fails, so that the chunk is dispatched again', async () => {
    const down = watched(runner.results, ({ method, key }) => {
      if (method === 'put' && key.startsWith('images/')) throw new StorageError('store_failed', 500, 'Down')
    })
    await expect(report(piece(0, 2, ['a', 'b']), down)).rejects.toThrow('Down')
    expect(await collect(listParts(runner.results, 'b1'))).toEqual([])
  })
})

describe('a systemic failure', () => {
  const failure = { code: 'model_not_found', message: 'There is no model "tiny"' }

  it('stops the batch after several in a row, without an image in error', async () => {
    await runner.photos.put('a', 'v1')
    runner.openwhisk.resultOf = async () => ({})
    runner.openwhisk.invoke = async (name, params) => {
      runner.invoked.push({ name, params })
      if (name.endsWith('/classify-images')) await report({ ...piece(0, 1, []), failure })
      return `a${runner.invoked.length}`
    }
    expect(await runner.start({ batch: 'b1' })).toMatchObject({
      state: 'stopped',
      reason: 'There is no model "tiny" (model_not_found)',
      totals: { ok: 0, error: 0, pending: 1 },
    })
    expect(asked('classify-images').length).toBeLessThan(5)
    // After the repair it resumes.
    runner.openwhisk.invoke = async (name, params) => {
      if (name.endsWith('/classify-images')) await runner.report(params)
      return 'b1'
    }
    expect(await runner.start({ batch: 'b1' })).toMatchObject({ state: 'complete', totals: { ok: 1 } })
  })

  it('is detected when all images fail for one shared reason', async () => {
    await begin(true)
    await report({ ...piece(0, 4, []), images: ['a', 'b', 'c', 'd'].map(deniedRecord) })
    expect(await collect(listParts(runner.results, 'b1'))).toEqual([])
    expect((await readBatch(runner.results, 'b1'))?.failure).toMatchObject({
      code: 'access_denied',
      count: 1,
    })
  })

  it('keeps the records before it when keys are revoked in the middle of a piece', async () => {
    await begin(true)
    const read = { ...piece(0, 4, []), images: [...images(['a', 'b']), ...['c', 'd'].map(deniedRecord)] }
    await aggregate(read, { ...runner.context(), store: withDenied(['a', 'b', 'c', 'd']) })
    expect(await collect(listParts(runner.results, 'b1'))).toMatchObject([{ start: 0, end: 2, errors: 0 }])
    expect((await readBatch(runner.results, 'b1'))?.failure).toMatchObject({ code: 'access_denied' })
    expect(asked('classify-images')).toEqual([])
    // Other images are readable, so the failure is specific to these two.
    await aggregate(read, { ...runner.context(), store: withDenied(['c', 'd']) })
    const parts = await collect(listParts(runner.results, 'b1'))
    expect(parts.at(-1)).toMatchObject({ start: 0, end: 4, errors: 2 })
  })

  it('does not count against a later lease holder, since the cause may be repaired', async () => {
    const open = doneBatch(runner.photos.name, 4, { dispatch: { pieces: [under(4)] } })
    const before = { ...piece(0, 4, []), failure }
    const lease = { ...open.lease, epoch: 2 }
    await saveBatch(runner.results, { ...open, lease })
    await report(before)
    // A single image that was denied then and is readable now.
    await runner.photos.put('a', 'a photo')
    const single = { ...under(1), attempts: 3 }
    await saveBatch(runner.results, { ...open, lease, dispatch: { ...open.dispatch, pieces: [single] } })
    await report({ ...piece(0, 1, []), images: [deniedRecord('a')] })
    expect((await readBatch(runner.results, 'b1'))?.failure).toBeUndefined()
    expect(await collect(listParts(runner.results, 'b1'))).toEqual([])
  })

  it.each([
    { unreadable: ['a', 'before'], read: ['before'], isItsOwn: false },
    { unreadable: ['a'], read: ['before'], isItsOwn: true },
    { unreadable: ['a'], read: ['gone'], isItsOwn: true },
    { unreadable: ['a'], read: [], isItsOwn: true },
    { unreadable: ['a', 'listing'], read: [], isItsOwn: false },
  ])('of a single image is verified by reading again: %j', async ({ unreadable, read, isItsOwn }) => {
    const open = doneBatch(runner.photos.name, 4, { dispatch: { pieces: [under(1)] } })
    await saveBatch(runner.results, { ...open, lease: { ...open.lease, epoch: 1 } })
    for (const key of ['a', 'before']) await runner.photos.put(key, 'a photo')
    const at = { bucket: runner.photos.name, at: now() }
    for (const key of read)
      await runner.results.put(recordKey(model, { ...at, key }), JSON.stringify(okRecord(key, at)))
    const context = { ...runner.context(), store: withDenied(unreadable) }
    await aggregate({ ...piece(0, 1, []), images: [deniedRecord('a')] }, context)
    const parts = await collect(listParts(runner.results, 'b1'))
    const { failure } = (await readBatch(runner.results, 'b1')) ?? {}
    expect([parts.length, failure?.count]).toEqual(isItsOwn ? [1, undefined] : [0, 1])
  })
})

const deniedRecord = (key: string) =>
  errorRecord(key, { code: 'access_denied', message: 'Could not read' }, { bucket: runner.photos.name })

/** A store that denies reading some of the photos, or listing them. */
function withDenied(keys: string[]): Store {
  const { store } = runner.context()
  const refuse = () => {
    throw new StorageError('access_denied', 403, 'Could not read')
  }
  return {
    bucket: (name) => {
      const bucket = store.bucket(name)
      if (name !== runner.photos.name) return bucket
      return {
        ...bucket,
        get: async (key, maxBytes) => (keys.includes(key) ? refuse() : bucket.get(key, maxBytes)),
        async *list(options) {
          if (keys.includes('listing')) refuse()
          yield* bucket.list(options)
        },
      }
    },
  }
}

describe('the rest of a piece', () => {
  it('is dispatched with the EXIF option of the batch', async () => {
    await begin(true)
    const part = { start: 0, end: 4, chunk, model: 'tiny', by: 1, exif: 'position' as const }
    await report({ batch: 'b1', images: images(['a', 'b']), part })
    expect(asked('classify-images')).toMatchObject([{ params: { start: 2, end: 4, exif: 'position' } }])
  })
})

describe('aggregating uploads', () => {
  const day = () => `uploads-${now().slice(0, 10)}`

  it('adds the records to their day and ensures that it has a holder', async () => {
    const aggregated = await report({ images: images(['a', 'bad']) })
    expect(aggregated).toEqual({ batches: [day()], records: { ok: 1, error: 1 } })
    expect(await collect(listArrivals(runner.results, day(), ''))).toMatchObject([{ ok: 1, error: 1 }])
    expect(await newest('a')).toMatchObject({ status: 'ok' })
    expect(await readBatch(runner.results, day())).toMatchObject({ kind: 'uploads', status: 'requested' })
    expect(asked('start-batch')).toMatchObject([{ params: { advance: day() } }])
  })

  it('dispatches the images that classify had no time for', async () => {
    const rest = [{ bucket: runner.photos.name, key: 'b' }]
    await report({ images: images(['a']), rest })
    expect(asked('classify-images')).toMatchObject([{ params: { images: rest } }])
  })

  it('stores no record that marks an image as done before its day has it', async () => {
    const failing = watched(runner.results, ({ method, key }) => {
      if (method === 'put' && key.includes('/arrivals/')) throw new StorageError('store_failed', 500, 'Down')
    })
    await expect(report({ images: images(['a']) }, failing)).rejects.toThrow('Down')
    expect(await newest('a')).toBeUndefined()
  })

  it('writes nothing without records', async () => {
    expect(await report({ images: [] })).toEqual({ batches: [], records: { ok: 0, error: 0 } })
    expect(await collect(runner.results.list())).toEqual([])
  })

  it('skips the newest record of an image overwritten meanwhile, but counts the result', async () => {
    const etag = await runner.photos.put('a', 'v1')
    const records = images(['a'], { etag })
    await runner.photos.put('a', 'v2')
    runner.clock.advance(minutes(20))
    await report({ images: records })
    expect(await newest('a')).toBeUndefined()
    const arrivals = await collect(listArrivals(runner.results, `uploads-${records[0]?.at.slice(0, 10)}`, ''))
    expect(arrivals).toMatchObject([{ ok: 1 }])
  })
})

describe('the message to aggregate', () => {
  it('accepts the output of classify', () => {
    expect(classifiedSchema.safeParse(piece(0, 1, ['a'])).success).toBe(true)
    expect(classifiedSchema.safeParse({ images: images(['a']) }).success).toBe(true)
  })

  it('accepts the package’s settings but no record of another schema', () => {
    expect(classifiedSchema.safeParse({ images: [], s3Endpoint: 'http://127.0.0.1:9000' }).success).toBe(true)
    expect(classifiedSchema.safeParse({ images: [{ key: 'a' }] }).success).toBe(false)
    expect(classifiedSchema.safeParse({ results: [{ className: 'tabby', probability: 1 }] }).success).toBe(
      false,
    )
  })
})
