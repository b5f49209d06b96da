import { endedBefore, removeBatch } from '../../src/batch/reports/prune'
import { acquire } from '../../src/batch/state/acquire'
import type { Batch, ClosingBatch } from '../../src/batch/state/batch'
import { readBatch } from '../../src/batch/state/batch'
import { documentKey, openKey, recordKey, summaryKey } from '../../src/batch/state/layout'
import { putEntry } from '../../src/batch/state/open'
import { beginClosing, ended } from '../../src/batch/state/transitions'
import type { BatchSummary } from '../../src/schema'
import type { Bucket } from '../../src/storage/store'
import {
  collect,
  contextOf,
  doneBatch,
  listing,
  model,
  saveBatch,
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

const time = Date.parse('2026-11-01T00:00:00.000Z')
const long = '2026-10-31T23:59:59.999Z'

const write = (batch: string, standing: Partial<BatchSummary> = {}) =>
  results.put(summaryKey(batch), JSON.stringify(summaryOf(batch, { endedAt: long, ...standing })))

/** A batch with all kinds of objects. */
async function writeBatch(batch: string): Promise<void> {
  await write(batch)
  for (const name of ['chunks/0-1.jsonl', 'parts/0-1.jsonl', 'results.jsonl'])
    await results.put(`batches/${batch}/${name}`, '')
  const open = doneBatch('photos', 1, { batch })
  const closed = ended(beginClosing(open, 'complete') as ClosingBatch, open.usage)
  await saveBatch(results, { ...closed, announced: true } as Batch)
}

const remove = (batch: string, bucket = results) => removeBatch(contextOf(objects.store, bucket), batch, time)

/** Takes the lease as another activation. */
const take = (batch: string) =>
  acquire(contextOf(objects.store, results), batch, { isWorker: false, evenConcluded: true })

const keys = async (bucket = results) => (await collect(bucket.list())).map(({ key }) => key)
const ids = async (before = time) => (await endedBefore(results, before)).map(({ batch }) => batch)

describe('a prunable batch', () => {
  it('is closed and ended before the time, with any outcome, days of uploads included', async () => {
    const totals = { listed: 9, planned: 9, skipped: 0, ok: 4, error: 1, pending: 4 }
    await write('cancelled', { state: 'cancelled', totals })
    await write('complete')
    await write('uploads-2026-10-31')
    await write('young', { endedAt: new Date(time).toISOString() })
    for (const state of ['planning', 'running'] as const) await write(state, { state, endedAt: null })
    expect(await endedBefore(results, time)).toEqual([
      { batch: 'cancelled', state: 'cancelled', endedAt: long, images: 5 },
      { batch: 'complete', state: 'complete', endedAt: long, images: 0 },
      { batch: 'uploads-2026-10-31', state: 'complete', endedAt: long, images: 0 },
    ])
  })

  it('is neither fired again nor unreadable', async () => {
    await write('again')
    await putEntry(results, 'again', 1)
    await results.put(summaryKey('broken'), '{"schema":"another"}')
    await results.put('batches/empty/batch.json', '{}')
    expect(await ids()).toEqual([])
    expect(await keys()).toContain(openKey('again', 1))
  })
})

describe('pruning a batch', () => {
  it('removes all its objects and no others', async () => {
    for (const batch of ['b1', 'b10', 'b']) await writeBatch(batch)
    const others = (await keys()).filter((key) => !key.startsWith('batches/b1/'))
    await results.put(recordKey(model, { bucket: 'photos', key: 'a' }), '{}')
    expect(await remove('b1')).toBe(5)
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
      const done = await remove('b1', bucket).catch(() => false)
      if (done) break
      expect(await ids()).toEqual(['b1'])
      expect(await remove('b1')).toBeGreaterThan(0)
      expect(await keys()).toEqual([])
    }
    expect(await keys()).toEqual([])
  })

  it('keeps a batch that was fired again since it was listed', async () => {
    await writeBatch('b1')
    await write('b1', { state: 'running', endedAt: null })
    const before = await keys()
    expect(await remove('b1')).toBeUndefined()
    expect(await keys()).toEqual(before)
    expect(await take('b1')).toBeDefined()
  })

  it('keeps a batch whose lease is held', async () => {
    await writeBatch('b1')
    await take('b1')
    expect(await remove('b1')).toBeUndefined()
    expect(await keys()).toHaveLength(5)
  })

  it('keeps the batch from being fired until it is gone', async () => {
    await writeBatch('b1')
    const tries: Promise<unknown>[] = []
    const bucket = watched(results, ({ method }) => {
      if (method === 'deleteAll') tries.push(take('b1'))
    })
    await remove('b1', bucket)
    expect(await Promise.all(tries)).toEqual([undefined])
  })

  it('stops when another activation has taken the lease', async () => {
    await writeBatch('b1')
    const slow = listing(results, async function* (options) {
      const found = await readBatch(results, 'b1')
      if (found?.lease.holder) await saveBatch(results, { ...found, lease: { ...found.lease, epoch: 9 } })
      yield* results.list(options)
    })
    await expect(remove('b1', slow)).rejects.toMatchObject({ code: 'batch_taken_over' })
    expect(await keys()).toHaveLength(5)
    expect(await keys()).toContain(documentKey('b1'))
  })
})
