import { segmentBytes } from '../../src/batch/closing/segments'
import { writePart } from '../../src/batch/records/parts'
import { readBatch } from '../../src/batch/state/batch'
import { closingPrefix, resultsKey } from '../../src/batch/state/layout'
import { StorageError } from '../../src/errors'
import { partBytes } from '../../src/storage/multipart'
import type { Bucket } from '../../src/storage/store'
import { closeBatch, collect, doneBatch, errorRecord, startTestStore, type TestStore } from './batch-fixtures'

let objects: TestStore
let results: Bucket
const defaultBytes = segmentBytes.value

beforeAll(async () => {
  objects = await startTestStore()
  segmentBytes.value = partBytes
})
afterAll(async () => {
  segmentBytes.value = defaultBytes
  await objects.close()
})
beforeEach(async () => {
  results = await objects.newBucket()
})

it('results that the store refuses fail with its error, leave no upload, and are joined by the next attempt', async () => {
  const message = 'x'.repeat(1_000_000)
  const records = Array.from({ length: 12 }, (_, number) => errorRecord(`k${10 + number}`, { message }))
  await writePart(results, 'b1', 0, records, 'a1')
  const batch = doneBatch('photos', records.length)
  const refuse = () => Promise.reject(new StorageError('access_denied', 403, 'No space is left'))
  const full: Bucket = { ...results, copyPart: refuse, uploadPart: refuse }
  await expect(closeBatch(objects.store, full, batch)).rejects.toThrow('No space is left')
  expect(await objects.unfinishedUploads(results)).toEqual([])
  expect(await results.head(resultsKey('b1', 'results.jsonl'))).toBeUndefined()
  const left = await readBatch(results, 'b1')
  expect(left).toMatchObject({ status: 'closing', lease: { holder: null } })
  if (!left) throw new Error('The batch is gone')
  expect(await closeBatch(objects.store, results, left)).toMatchObject({
    state: 'complete',
    totals: { error: 12 },
  })
  expect(await collect(results.list({ prefix: closingPrefix('b1') }))).toEqual([])
})
