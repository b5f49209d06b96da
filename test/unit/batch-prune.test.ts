import { leaseKey, openKey, recordKey, summaryKey } from '../../src/batch/layout'
import { endedBefore, removeBatch } from '../../src/batch/results/prune'
import { acquireLease, leaseTime } from '../../src/batch/run/lease'
import { markOpen } from '../../src/batch/run/open'
import type { BatchSummary } from '../../src/schema'
import type { Bucket } from '../../src/storage/store'
import {
  advanceClock,
  collect,
  listing,
  model,
  setClock,
  startTestStore,
  type TestStore,
  watched,
} from './batch-fixtures'
import { summaryOf } from './cli-run'

let objects: TestStore
let results: Bucket

beforeAll(async () => {
  objects = await startTestStore()
})
afterAll(() => objects.close())
beforeEach(async () => {
  results = await objects.newBucket()
})
afterEach(() => jest.useRealTimers())

const time = new Date('2026-11-01T00:00:00.000Z')
const long = '2026-10-31T23:59:59.999Z'

const write = (batch: string, standing: Partial<BatchSummary> = {}) =>
  results.put(summaryKey(batch), JSON.stringify(summaryOf(batch, { endedAt: long, ...standing })))

/** A batch with all kinds of objects. */
async function writeBatch(batch: string): Promise<void> {
  await write(batch)
  for (const name of ['plan.json', 'lease.json', 'chunks/0-1.jsonl', 'parts/0-1.jsonl', 'results.jsonl'])
    await results.put(
      `batches/${batch}/${name}`,
      name === 'lease.json' ? '{"activationId":"a","until":0}' : '',
    )
}

const keys = async (bucket = results) => (await collect(bucket.list())).map(({ key }) => key)
const ids = async (before = time) => (await endedBefore(results, before)).map(({ batch }) => batch)

describe('what may be pruned', () => {
  it('is closed and ended before the time, however it ended, the uploads of a day as well', async () => {
    const totals = { listed: 9, planned: 9, skipped: 0, ok: 4, error: 1, pending: 4 }
    await write('cancelled', { state: 'cancelled', totals })
    await write('complete')
    await write('uploads-2026-10-31')
    await write('young', { endedAt: time.toISOString() })
    for (const state of ['planning', 'running'] as const) await write(state, { state, endedAt: null })
    expect(await endedBefore(results, time)).toEqual([
      { batch: 'cancelled', state: 'cancelled', endedAt: long, images: 5 },
      { batch: 'complete', state: 'complete', endedAt: long, images: 0 },
      { batch: 'uploads-2026-10-31', state: 'complete', endedAt: long, images: 0 },
    ])
  })

  it('is not what has just been fired again, nor what nobody can read', async () => {
    await write('again')
    await markOpen(results, 'again')
    await results.put(summaryKey('broken'), '{"schema":"another"}')
    await results.put('batches/empty/plan.json', '{}')
    expect(await ids()).toEqual([])
    expect(await keys()).toContain(openKey('again'))
  })

  it('goes by when its end was written where it did not come to a last record', async () => {
    await write('failed', { state: 'stopped', endedAt: null })
    const written = Date.parse((await results.head(summaryKey('failed')))?.lastModified ?? '')
    expect(await ids(new Date(written))).toEqual([])
    expect(await ids(new Date(written + 1))).toEqual(['failed'])
  })
})

describe('pruning a batch', () => {
  it('removes all of it and nothing else', async () => {
    for (const batch of ['b1', 'b10', 'b']) await writeBatch(batch)
    const others = (await keys()).filter((key) => !key.startsWith('batches/b1/'))
    await results.put(recordKey(model, { bucket: 'photos', key: 'a' }), '{}')
    expect(await removeBatch(results, 'b1', time)).toBe(6)
    expect(await keys()).toEqual([...others, recordKey(model, { bucket: 'photos', key: 'a' })])
  })

  it('removes the summary last, and so can be interrupted anywhere', async () => {
    const deleting = ['deleteAll', 'delete']
    for (let allowed = 0; ; allowed++) {
      await writeBatch('b1')
      let left = allowed
      const bucket = watched(results, ({ method }) => {
        if (deleting.includes(method) && left-- === 0) throw new Error('interrupted')
      })
      const done = await removeBatch(bucket, 'b1', time).catch(() => false)
      if (done) break
      expect(await ids()).toEqual(['b1'])
      expect(await removeBatch(results, 'b1', time)).toBeGreaterThan(0)
      expect(await keys()).toEqual([])
    }
    expect(await keys()).toEqual([])
  })

  it('leaves one that has been fired again since it was listed', async () => {
    await writeBatch('b1')
    await write('b1', { state: 'running', endedAt: null })
    const before = await keys()
    expect(await removeBatch(results, 'b1', time)).toBeUndefined()
    expect(await keys()).toEqual(before)
    expect(await acquireLease(results, 'b1', 'a2')).toBeDefined()
  })

  it('leaves one that somebody is in charge of', async () => {
    await writeBatch('b1')
    await acquireLease(results, 'b1', 'a2')
    expect(await removeBatch(results, 'b1', time)).toBeUndefined()
    expect(await keys()).toHaveLength(6)
  })

  it('lets nobody begin it anew before it is gone', async () => {
    await writeBatch('b1')
    const tries: Promise<unknown>[] = []
    const bucket = watched(results, ({ method }) => {
      if (method === 'deleteAll') tries.push(acquireLease(results, 'b1', 'a2'))
    })
    await removeBatch(bucket, 'b1', time)
    expect(await Promise.all(tries)).toEqual([undefined])
  })

  it('stops when somebody takes over, because it took longer than it is believed to live', async () => {
    await writeBatch('b1')
    setClock(Date.now())
    const slow = listing(results, async function* (options) {
      advanceClock(leaseTime + 1)
      expect(await acquireLease(results, 'b1', 'a2')).toBeDefined()
      yield* results.list(options)
    })
    await expect(removeBatch(slow, 'b1', time)).rejects.toMatchObject({ code: 'batch_in_use' })
    expect(await keys()).toHaveLength(6)
    expect(await keys()).toContain(leaseKey('b1'))
  })
})
