import { openSource } from '../../src/batch/closing/source'
import type { ClosingBatch } from '../../src/batch/state/batch'
import { recordKey, resultsKey } from '../../src/batch/state/layout'
import { beginClosing } from '../../src/batch/state/transitions'
import { StorageError } from '../../src/errors'
import type { Bucket } from '../../src/storage/store'
import {
  collect,
  contextOf,
  doneBatch,
  model,
  okRecord,
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
  photos = await objects.newBucket()
  results = await objects.newBucket()
})

/** A second run that listed every image and classified none. The first run’s results have the given keys. */
async function secondRun(keys: string[], swept = true): Promise<ClosingBatch> {
  const lines = keys.map((key) => `${JSON.stringify(okRecord(key, { bucket: photos.name }))}\n`).join('')
  const previous = await results.put(resultsKey('b1', 'results.jsonl'), lines)
  const batch = doneBatch(photos.name, 0, { run: 2, plan: { swept } })
  return { ...beginClosing(batch, 'complete'), revision: 1, writeId: 'w', previous } as ClosingBatch
}

const keysOf = async (...run: Parameters<typeof recordsOf>) => (await recordsOf(...run)).map(({ key }) => key)

const recordsOf = async (batch: ClosingBatch, last?: string, store = objects.store) => {
  const usage = { classifyMs: 0, aggregateMs: 0, containers: [] }
  const from = { offsets: [0], reported: 0 }
  const source = openSource(batch, contextOf(store, results), { from, last, usage })
  return collect(source.records)
}

describe('previous results', () => {
  it('lose deleted images, but only after a full listing', async () => {
    await photos.put('b', 'v1')
    expect(await keysOf(await secondRun(['a', 'b', 'c']))).toEqual(['b'])
    expect(await keysOf(await secondRun(['a', 'b', 'c'], false))).toEqual(['a', 'b', 'c'])
  })

  it('give way to newer records of other batches if these match the current version', async () => {
    const changed = await photos.put('changed', 'v2')
    await photos.put('since', 'v3')
    const others = { changed, since: 'the etag of v2' }
    for (const [key, etag] of Object.entries(others)) {
      const record = okRecord(key, { bucket: photos.name, etag })
      await results.put(recordKey(model, record), JSON.stringify(record))
    }
    const records = await recordsOf(await secondRun(['changed', 'since']))
    expect(records.map(({ etag }) => etag)).toEqual([changed, okRecord('since').etag])
  })

  it('are kept when the source refuses access', async () => {
    // biome-ignore lint/correctness/useYield: it never comes to that
    async function* list(): AsyncGenerator<never> {
      throw new StorageError('access_denied', 403, 'Access Denied')
    }
    const { store } = objects
    const refusing = {
      ...store,
      bucket: (name: string) => ({ ...store.bucket(name), ...(name === photos.name && { list }) }),
    }
    expect(await keysOf(await secondRun(['a', 'b']), undefined, refusing)).toEqual(['a', 'b'])
  })

  it.each(['b', 'é', 'b😀', '😀', 'b～'])('resume after the last key written, %j', async (last) => {
    await photos.put('a', 'v1')
    await photos.put(last, 'v1')
    await photos.put('🦊', 'v1')
    // The record in use comes once more.
    expect(await keysOf(await secondRun([last, '🦉', '🦊']), last)).toEqual([last, '🦊'])
  })
})
