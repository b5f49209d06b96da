import { setTimeout as sleep } from 'node:timers/promises'
import { partsPrefix, summaryKey } from '../../src/batch/layout'
import { isMarked } from '../../src/batch/run/open'
import { readSummary } from '../../src/batch/summary/summary-object'
import { updateUploadsSummary } from '../../src/batch/uploads/count'
import { isDayBeforeOver, isOver, isUploads, uploadsBatch } from '../../src/batch/uploads/day'
import { closeDaysBefore } from '../../src/batch/uploads/days-before'
import { listUploadParts, readUploadPart, writeUploadParts } from '../../src/batch/uploads/parts'
import { readProgress } from '../../src/batch/uploads/progress'
import { StorageError } from '../../src/errors'
import type { Bucket } from '../../src/storage/store'
import {
  advanceClock,
  collect,
  counted,
  errorRecord,
  listing,
  minutes,
  okRecord,
  setClock,
  startTestStore,
  type TestStore,
  watched,
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

/** Writes a part: what one activation does before it counts. */
async function upload(key: string, activationId: string, at = new Date().toISOString()) {
  const [part] = await writeUploadParts(results, [okRecord(key, { at, activationId })], activationId)
  if (!part) throw new Error('No part was written')
  return part
}

const uploadAndCount = async (key: string, activationId: string, bucket = results): Promise<boolean> =>
  updateUploadsSummary(bucket, await upload(key, activationId))

const counts = async (batch = today) => (await readSummary(results, batch))?.totals.ok

const progress = async () => (await readProgress(results, today)).progress

describe('the day of an upload', () => {
  it('is that in UTC on which its download began', () => {
    expect(uploadsBatch('2026-11-22T00:00:00.000Z')).toBe(today)
    expect(uploadsBatch('2026-11-22T23:59:59.999Z')).toBe(today)
    expect(uploadsBatch('2026-11-23T00:00:00.000Z')).toBe('uploads-2026-11-23')
    expect([isUploads(today), isUploads('upload')]).toEqual([true, false])
  })

  it('is over a quarter of an hour after its midnight: until then, what began before may report', () => {
    expect(isOver(today, new Date('2026-11-23T00:14:59.999Z'))).toBe(false)
    expect(isOver(today, new Date('2026-11-23T00:15:00.000Z'))).toBe(true)
    expect(isDayBeforeOver(today, new Date('2026-11-22T00:14:59.999Z'))).toBe(false)
    expect(isDayBeforeOver(today, new Date('2026-11-22T00:15:00.000Z'))).toBe(true)
  })
})

describe('the parts of a day', () => {
  const names = async (batch = today) =>
    (await collect(listUploadParts(results, batch, ''))).map(({ name }) => name)

  it('are named by the time of their writing, whenever the download began', async () => {
    await upload('a', 'a1', '2026-11-22T07:00:00.000Z')
    advanceClock(5)
    await upload('b', 'a2', '2026-11-22T06:00:00.000Z')
    expect(await names()).toEqual(['2026-11-22T08-00-00-000Z-a1.jsonl', '2026-11-22T08-00-00-005Z-a2.jsonl'])
  })

  it('are two where one activation worked past midnight; what it used is told with the first', async () => {
    const usage = { classifyMs: 1000, aggregateMs: 20, container: 'c1' }
    const records = [
      okRecord('b', { at: '2026-11-23T00:00:00.100Z' }),
      okRecord('a', { at: '2026-11-22T23:59:59.900Z' }),
      okRecord('c', { at: '2026-11-22T23:59:59.950Z' }),
    ]
    const parts = await writeUploadParts(results, records, 'a1', usage)
    expect(parts.map(({ batch, records }) => [batch, records.map(({ key }) => key)])).toEqual([
      [today, ['a', 'c']],
      ['uploads-2026-11-23', ['b']],
    ])
    const read = await Promise.all(parts.map((part) => readUploadPart(results, part.batch, part)))
    expect(read).toEqual(parts)
    expect(read.map((part) => part.usage)).toEqual([usage, undefined])
  })
})

describe('the summary of an open day', () => {
  it('says that it is not exact', async () => {
    const [part] = await writeUploadParts(results, [okRecord('a'), errorRecord('b')], 'a1')
    if (part) await updateUploadsSummary(results, part)
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

  it('counts each part once, however often it is brought up to date', async () => {
    for (let number = 0; number < 4; number++) {
      const part = await upload(`k${number}`, `a${number}`)
      await updateUploadsSummary(results, part)
      await updateUploadsSummary(results, part)
      advanceClock(minutes(3))
    }
    expect(await counts()).toBe(4)
  })

  it('counts each part once when many activations do so at the same time', async () => {
    const { bucket, requests } = counted(results)
    await Promise.all(
      Array.from({ length: 20 }, (_, number) => uploadAndCount(`k${number}`, `a${number}`, bucket)),
    )
    expect(await counts()).toBe(20)
    expect(await progress()).toMatchObject({ parts: 20, tally: { ok: 20 } })
    // Only one at a time counts for all, and so nobody reads a part that somebody else has read.
    expect(requests.filter(({ method }) => method === 'get').length).toBeLessThan(20)
  })

  it('counts the part of an activation that died before it did so, with the next one', async () => {
    await uploadAndCount('a', 'a1')
    await upload('b', 'a2')
    advanceClock(minutes(1))
    await uploadAndCount('c', 'a3')
    expect(await counts()).toBe(3)
  })

  it('is not held up by an activation that died while it counted for all', async () => {
    const part = await upload('a', 'a1')
    const dying = watched(results, ({ method }) => {
      if (method === 'list') throw new StorageError('store_failed', 0, 'The process is gone')
    })
    await expect(updateUploadsSummary(dying, part)).rejects.toThrow('gone')
    expect((await progress()).claim).toMatchObject({ by: part.name })
    advanceClock(5_000)
    await uploadAndCount('b', 'a2')
    expect(await counts()).toBe(2)
    expect((await progress()).claim).toBeUndefined()
  })

  it('is left to somebody who counts for all, until that is done', async () => {
    let others: Promise<boolean>[] = []
    let reads = 0
    let puts = 0
    const bystander = watched(results, ({ method, key }) => {
      if (!key.endsWith('progress.json')) return
      if (method === 'find') reads++
      if (method === 'put') puts++
    })
    const slow = listing(results, async function* (options) {
      if (others.length === 0) {
        others = [uploadAndCount('b', 'a2', bystander), uploadAndCount('c', 'a3', bystander)]
        while (reads < 8) await sleep(1)
        expect(puts).toBe(0)
      }
      yield* results.list(options)
    })
    await updateUploadsSummary(slow, await upload('a', 'a1'))
    await Promise.all(others)
    expect(await counts()).toBe(3)
  })

  it('forgets the names of parts that nothing can precede any more, and still counts none twice', async () => {
    for (let number = 0; number < 5; number++) {
      await uploadAndCount(`k${number}`, `a${number}`)
      advanceClock(minutes(2))
    }
    expect((await progress()).recent).toHaveLength(1)
    const old = await collect(listUploadParts(results, today, ''))
    for (const { name } of old)
      await updateUploadsSummary(results, await readUploadPart(results, today, { name }))
    expect(await counts()).toBe(5)
  })

  it('costs in proportion to what is new, not to the day', async () => {
    const cost = async (): Promise<number> => {
      const { bucket, requests } = counted(results)
      await uploadAndCount('new', `a-${Date.now()}`, bucket)
      return requests.length
    }
    await cost()
    const first = await cost()
    for (let number = 0; number < 30; number++) await uploadAndCount(`k${number}`, `b${number}`)
    expect(await cost()).toBe(first)
    advanceClock(minutes(30))
    await cost()
    expect(await cost()).toBe(first)
  })

  it('is made good by the next one when its writer died between counting and writing it', async () => {
    const part = await upload('a', 'a1')
    const dying = watched(results, ({ method, key }) => {
      if (method === 'put' && key === summaryKey(today))
        throw new StorageError('store_failed', 0, 'The process is gone')
    })
    await expect(updateUploadsSummary(dying, part)).rejects.toThrow('gone')
    expect(await counts()).toBeUndefined()
    await updateUploadsSummary(results, part)
    expect(await counts()).toBe(1)
  })

  it('ends with the last count although an older one is written late', async () => {
    const part = await upload('a', 'a1')
    let other: Promise<boolean> | undefined
    const slow: Bucket = {
      ...results,
      put: async (key, ...rest) => {
        if (key === summaryKey(today) && !other) {
          other = uploadAndCount('b', 'a2')
          await other
        }
        return results.put(key, ...rest)
      },
    }
    await updateUploadsSummary(slow, part)
    expect(await counts()).toBe(2)
  })

  it('leaves other batches’ parts alone', async () => {
    await results.put(`${partsPrefix(`${today}-x`)}2026-11-22T08-00-00-000Z-a1.jsonl`, '{}\n')
    await uploadAndCount('a', 'a1')
    expect(await counts()).toBe(1)
  })

  it('goes with a marker that the day is open, written first', async () => {
    const part = await upload('a', 'a1')
    const dying = watched(results, ({ method, key }) => {
      if (method === 'put' && key.endsWith('progress.json'))
        throw new StorageError('store_failed', 0, 'The process is gone')
    })
    await expect(updateUploadsSummary(dying, part)).rejects.toThrow('gone')
    expect(await isMarked(results, today)).toBe(true)
  })

  it('keeps the price that the first part came with', async () => {
    await updateUploadsSummary(results, await upload('a', 'a1'), 0.5)
    await updateUploadsSummary(results, await upload('b', 'a2'), 2)
    expect(await readSummary(results, today)).toMatchObject({ pricePerGbSecond: 0.5 })
  })
})

describe('the uploads that come when the day before is over', () => {
  it('say so, and one of them has it closed', async () => {
    setClock('2026-11-22T00:14:50Z')
    expect(await uploadAndCount('a', 'a1')).toBe(false)
    advanceClock(10_000)
    let sent = 0
    await Promise.all(
      Array.from({ length: 6 }, async (_, number) => {
        const part = await upload(`k${number}`, `b${number}`)
        if (await updateUploadsSummary(results, part))
          await closeDaysBefore(results, part, async () => ++sent)
      }),
    )
    expect(sent).toBe(1)
    expect(await counts()).toBe(7)
    advanceClock(minutes(60))
    expect(await uploadAndCount('c', 'a3')).toBe(false)
  })
})
