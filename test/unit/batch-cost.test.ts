import { writePart } from '../../src/batch/records/parts'
import { initialRecord } from '../../src/batch/records/record'
import { addUsage } from '../../src/batch/records/usage'
import { assumedMsPerImage, estimateCost, withUsage } from '../../src/batch/reports/cost'
import { emptyTally, summarize } from '../../src/batch/reports/summary'
import { writeArrival } from '../../src/batch/uploads/arrivals'
import type { BatchSummary } from '../../src/schema'
import type { Bucket } from '../../src/storage/store'
import { batchOf, doneBatch, putSummary, saveBatch, startTestStore, type TestStore } from './batch-fixtures'

let objects: TestStore
let results: Bucket

beforeAll(async () => {
  objects = await startTestStore()
})
afterAll(() => objects.close())
beforeEach(async () => {
  results = await objects.newBucket()
})

const memory = { classify: 1024, aggregate: 1024 }

interface Done {
  images: number
  seconds: number
  model?: string
  state?: BatchSummary['state']
}

/** A batch whose activations took this many seconds, at 1 GB. */
async function done(batch: string, { images, seconds, model = 'm@1', state = 'complete' }: Done) {
  const tally = { ...emptyTally(), ok: images - 1, error: 1 }
  addUsage(tally.usage, { classifyMs: seconds * 1000, aggregateMs: 0, container: 'a' })
  const counts = { listed: images, planned: images, skipped: 0, exact: true }
  const startedAt = `${batch.replace(/.*(\d{4})(\d\d)(\d\d)-.*/, '$1-$2-$3')}T00:00:00.000Z`
  await putSummary(results, summarize(tally, { batch, state, model, memory, startedAt, ...counts }))
}

const estimate = (images: number, modelVersion?: string) =>
  estimateCost(results, { modelVersion, images, memory, price: 0.01 })

describe('the cost of a day of uploads', () => {
  const day = 'uploads-2026-11-22'
  const record = initialRecord(
    { bucket: 'b', key: 'k' },
    { model: 'm@1', engine: 'e', activationId: 'a', at: 0 },
  )
  const used = (container: string) => ({ classifyMs: 2000, aggregateMs: 1000, container })
  const summaryOf = (state: BatchSummary['state'], usage = emptyTally().usage) =>
    summarize(
      { ...emptyTally(), ok: 3, usage },
      {
        batch: day,
        state,
        listed: 3,
        planned: 3,
        skipped: 0,
        exact: false,
        startedAt: '2026-11-22T00:00:00.000Z',
        memory,
        gbSecondPrice: 0.5,
      },
    )

  beforeEach(async () => {
    const model = { model: 'm', modelVersion: 'm@1', memory, gbSecondPrice: 0.5 }
    const sorted = { upTo: '', position: 0, ok: 1, error: 0, files: [] }
    // A sorted portion, an arrival, and a part found by a scan.
    const usage = { classifyMs: 500, aggregateMs: 500, containers: ['a'] }
    await saveBatch(
      results,
      doneBatch('photos', 2, { batch: day, kind: 'uploads', model, sorted, usage, dispatch: { next: 2 } }),
    )
    await writeArrival(results, day, [record], { at: 0, activationId: 'a', usage: used('a') })
    await writePart(results, day, 0, [record, { ...record, key: 'l' }], 'b', used('b'))
  })

  it('counts while uploads still arrive', async () => {
    expect(await withUsage(results, summaryOf('running'))).toEqual({
      ...summaryOf('running'),
      ...{ gbSeconds: 7, cost: 3.5, containers: 2 },
    })
  })

  it('equals that of its summary once closed', async () => {
    const closed = summaryOf('complete', { classifyMs: 4000, aggregateMs: 0, containers: ['a'] })
    expect(await withUsage(results, closed)).toEqual(closed)
  })
})

describe('the estimated cost of a batch', () => {
  it('is assumed, on the high side, until a batch was measured', async () => {
    expect(assumedMsPerImage).toBe(100)
    expect(await estimate(1_000_000, 'm@1')).toEqual({ gbSeconds: 100_000, cost: 1000, basis: 'assumed' })
    expect(
      await estimateCost(results, { images: 1000, memory: { classify: 256, aggregate: 128 }, price: 0 }),
    ).toEqual({ gbSeconds: 25, cost: 0, basis: 'assumed' })
  })

  it('follows from batches of the same model, weighted by size', async () => {
    await done('20260101-000000-aaaaaa', { images: 900, seconds: 40 })
    await done('20260102-000000-aaaaaa', { images: 100, seconds: 10 })
    await done('20260103-000000-aaaaaa', { images: 10, seconds: 70, model: 'other@1' })
    expect(await estimate(10_000, 'm@1')).toEqual({ gbSeconds: 500, cost: 5, basis: 'measured' })
    expect(await estimate(10, 'other@1')).toEqual({ gbSeconds: 70, cost: 0.7, basis: 'measured' })
    expect((await estimate(10, 'third@1')).basis).toBe('assumed')
  })

  it('uses the model of the newest batch when none is named', async () => {
    await done('20260101-000000-aaaaaa', { images: 10, seconds: 70, model: 'other@1' })
    await done('20260102-000000-aaaaaa', { images: 100, seconds: 10 })
    expect(await estimate(10)).toEqual({ gbSeconds: 1, cost: 0.01, basis: 'measured' })
  })

  it.each<[string, string, Done]>([
    ['is open', '20260101-000000-aaaaaa', { images: 10, seconds: 7, state: 'running' }],
    ['measured nothing', '20260101-000000-aaaaaa', { images: 10, seconds: 0 }],
    ['is of uploads, which come one by one', 'uploads-20260101-', { images: 10, seconds: 7 }],
  ])('ignores a batch that %s', async (_, batch, told) => {
    await done(batch, told)
    expect((await estimate(10, 'm@1')).basis).toBe('assumed')
  })

  it('counts every classification of an image', async () => {
    const batch = '20260101-000000-aaaaaa'
    await done(batch, { images: 100, seconds: 60 })
    // Fired three times, with force.
    await saveBatch(results, batchOf('photos', {}, { batch, run: 3, dispatch: { next: 300 } }))
    expect(await estimate(1000, 'm@1')).toEqual({ gbSeconds: 200, cost: 2, basis: 'measured' })
  })

  it('is zero for no images', async () => {
    expect(await estimate(0)).toMatchObject({ gbSeconds: 0, cost: 0 })
  })
})
