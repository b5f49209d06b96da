import { partsPrefix, summaryKey } from '../../src/batch/layout'
import { readSummary } from '../../src/batch/summary-object'
import { updateUploadsSummary, uploadsBatch, writeUploadParts } from '../../src/batch/uploads'
import { StorageError } from '../../src/errors'
import type { Bucket } from '../../src/storage/store'
import {
  advanceClock,
  collect,
  counted,
  errorRecord,
  minutes,
  okRecord,
  setClock,
  startTestStore,
  type TestStore,
} from './batch-fixtures'

const today = 'uploads-2026-11-22'

let objects: TestStore
let results: Bucket

beforeAll(async () => {
  objects = await startTestStore()
})
afterAll(() => objects.close())
beforeEach(async () => {
  setClock('2026-11-22T08:00:00Z')
  results = await objects.newBucket()
})
afterEach(() => jest.useRealTimers())

/** Downloads at this moment, and writes the part: what one activation does before it counts. */
const upload = (key: string, activationId: string, at = new Date().toISOString()) =>
  writeUploadParts(results, [okRecord(key, { at, activationId })], activationId)

const counts = async (batch = today) => (await readSummary(results, batch))?.totals.ok

describe('the uploads of a day', () => {
  it('are the batch of the day in UTC on which their download began', () => {
    expect(uploadsBatch('2026-11-22T00:00:00.000Z')).toBe(today)
    expect(uploadsBatch('2026-11-22T23:59:59.999Z')).toBe(today)
    expect(uploadsBatch('2026-11-23T00:00:00.000Z')).toBe('uploads-2026-11-23')
  })

  it('are divided where one activation worked past midnight', async () => {
    const records = [
      okRecord('a', { at: '2026-11-22T23:59:59.900Z' }),
      okRecord('b', { at: '2026-11-23T00:00:00.100Z' }),
      okRecord('c', { at: '2026-11-22T23:59:59.950Z' }),
    ]
    const batches = await writeUploadParts(results, records, 'a1')
    expect(batches).toEqual([today, 'uploads-2026-11-23'])
    for (const batch of batches) await updateUploadsSummary(results, batch)
    expect([await counts(today), await counts('uploads-2026-11-23')]).toEqual([2, 1])
  })

  it('have parts named by time and activation, so that a repeat is the same object', async () => {
    await upload('a', 'a1')
    await upload('a', 'a1')
    expect((await collect(results.list())).map(({ key }) => key)).toEqual([
      `batches/${today}/parts/2026-11-22T08-00-00-000Z-a1.jsonl`,
    ])
  })

  it('have a summary that says it is not exact while the day is open', async () => {
    await writeUploadParts(results, [okRecord('a'), errorRecord('b')], 'a1')
    await updateUploadsSummary(results, today)
    expect(await readSummary(results, today)).toMatchObject({
      batch: today,
      state: 'running',
      exact: false,
      totals: { listed: 2, planned: 2, skipped: 0, ok: 1, error: 1, pending: 0 },
      labels: [{ label: 'tabby', count: 1 }],
      errors: { image_corrupt: 1 },
      startedAt: '2026-11-22T08:00:00.000Z',
      endedAt: null,
    })
  })

  it('have no summary before there is anything to count', async () => {
    await updateUploadsSummary(results, today)
    expect(await readSummary(results, today)).toBeUndefined()
  })
})

describe('the summary of the uploads', () => {
  it('counts each part once, however often it is brought up to date', async () => {
    for (let number = 0; number < 4; number++) {
      await upload(`k${number}`, `a${number}`)
      await updateUploadsSummary(results, today)
      await updateUploadsSummary(results, today)
      advanceClock(minutes(3))
    }
    expect(await counts()).toBe(4)
  })

  it('counts each part once when many activations do so at the same time', async () => {
    const update = async (number: number) => {
      await upload(`k${number}`, `a${number}`)
      await updateUploadsSummary(results, today)
    }
    await Promise.all(Array.from({ length: 12 }, (_, number) => update(number)))
    expect(await counts()).toBe(12)
    await updateUploadsSummary(results, today)
    expect(await counts()).toBe(12)
  })

  it('counts a part that appears after later ones, as its activation took longer', async () => {
    const began = new Date().toISOString()
    for (let minute = 0; minute < 14; minute += 2) {
      advanceClock(minutes(2))
      await upload(`k${minute}`, `a${minute}`)
      await updateUploadsSummary(results, today)
    }
    await upload('late', 'late', began)
    await updateUploadsSummary(results, today)
    expect(await counts()).toBe(8)
  })

  it('forgets the names of parts that nothing can precede any more, and still counts none twice', async () => {
    for (let number = 0; number < 5; number++) {
      await upload(`k${number}`, `a${number}`)
      await updateUploadsSummary(results, today)
      advanceClock(minutes(20))
    }
    await updateUploadsSummary(results, today)
    expect(await counts()).toBe(5)
    const progress = await results.get(`batches/${today}/progress.json`)
    expect(JSON.parse(progress.body.toString('utf8')).recent).toHaveLength(1)
  })

  it('costs in proportion to what is new, not to the day', async () => {
    const cost = async (): Promise<number> => {
      const { bucket, requests } = counted(results)
      await upload('new', `a-${Date.now()}`)
      await updateUploadsSummary(bucket, today)
      return requests.length
    }
    const first = await cost()
    for (let number = 0; number < 30; number++) await upload(`k${number}`, `b${number}`)
    await updateUploadsSummary(results, today)
    advanceClock(minutes(30))
    expect(await cost()).toBe(first)
  })

  it('is made good by the next one when its writer died between counting and writing it', async () => {
    await upload('a', 'a1')
    const dying: Bucket = {
      ...results,
      put: (key, ...rest) =>
        key === summaryKey(today)
          ? Promise.reject(new StorageError('store_failed', 0, 'The process is gone'))
          : results.put(key, ...rest),
    }
    await expect(updateUploadsSummary(dying, today)).rejects.toThrow('gone')
    expect(await counts()).toBeUndefined()
    await updateUploadsSummary(results, today)
    expect(await counts()).toBe(1)
  })

  it('ends with the last count although an older one is written late', async () => {
    await upload('a', 'a1')
    let other: Promise<void> | undefined
    const slow: Bucket = {
      ...results,
      put: async (key, ...rest) => {
        if (key === summaryKey(today) && !other) {
          await upload('b', 'a2')
          other = updateUploadsSummary(results, today)
          await other
        }
        return results.put(key, ...rest)
      },
    }
    await updateUploadsSummary(slow, today)
    expect(await counts()).toBe(2)
  })

  it('leaves other batches’ parts alone', async () => {
    await upload('a', 'a1')
    await results.put(`${partsPrefix(`${today}-x`)}2026-11-22T08-00-00-000Z-a1.jsonl`, '{}\n')
    await updateUploadsSummary(results, today)
    expect(await counts()).toBe(1)
  })
})
