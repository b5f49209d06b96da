import { addUsage } from '../../src/batch/records/usage'
import { assumedMsPerImage, estimateCost } from '../../src/batch/reports/cost'
import { emptyTally, summarize } from '../../src/batch/reports/summary'
import type { BatchSummary } from '../../src/schema'
import type { Bucket } from '../../src/storage/store'
import { batchOf, putSummary, saveBatch, startTestStore, type TestStore } from './batch-fixtures'

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

/** A batch whose activations took so many seconds, at one GB. */
async function done(batch: string, { images, seconds, model = 'm@1', state = 'complete' }: Done) {
  const tally = { ...emptyTally(), ok: images - 1, error: 1 }
  addUsage(tally.usage, { classifyMs: seconds * 1000, aggregateMs: 0, container: 'a' })
  const counts = { listed: images, planned: images, skipped: 0, exact: true }
  const startedAt = `${batch.replace(/.*(\d{4})(\d\d)(\d\d)-.*/, '$1-$2-$3')}T00:00:00.000Z`
  await putSummary(results, summarize(tally, { batch, state, model, memory, startedAt, ...counts }))
}

const estimate = (images: number, modelVersion?: string) =>
  estimateCost(results, { modelVersion, images, memory, price: 0.01 })

describe('what a batch will cost', () => {
  it('is assumed on the safe side while nothing was measured', async () => {
    expect(assumedMsPerImage).toBe(100)
    expect(await estimate(1_000_000, 'm@1')).toEqual({ gbSeconds: 100_000, cost: 1000, basis: 'assumed' })
    expect(
      await estimateCost(results, { images: 1000, memory: { classify: 256, aggregate: 128 }, price: 0 }),
    ).toEqual({ gbSeconds: 25, cost: 0, basis: 'assumed' })
  })

  it('follows from what images of the same model took, large batches weighing more', async () => {
    await done('20260101-000000-aaaaaa', { images: 900, seconds: 40 })
    await done('20260102-000000-aaaaaa', { images: 100, seconds: 10 })
    await done('20260103-000000-aaaaaa', { images: 10, seconds: 70, model: 'other@1' })
    expect(await estimate(10_000, 'm@1')).toEqual({ gbSeconds: 500, cost: 5, basis: 'measured' })
    expect(await estimate(10, 'other@1')).toEqual({ gbSeconds: 70, cost: 0.7, basis: 'measured' })
    expect((await estimate(10, 'third@1')).basis).toBe('assumed')
  })

  it('follows from the model of the newest batch where none is named', async () => {
    await done('20260101-000000-aaaaaa', { images: 10, seconds: 70, model: 'other@1' })
    await done('20260102-000000-aaaaaa', { images: 100, seconds: 10 })
    expect(await estimate(10)).toEqual({ gbSeconds: 1, cost: 0.01, basis: 'measured' })
  })

  it.each<[string, string, Done]>([
    ['is open', '20260101-000000-aaaaaa', { images: 10, seconds: 7, state: 'running' }],
    ['measured nothing', '20260101-000000-aaaaaa', { images: 10, seconds: 0 }],
    ['is of uploads, which come one by one', 'uploads-20260101-', { images: 10, seconds: 7 }],
  ])('does not follow from a batch that %s', async (_, batch, told) => {
    await done(batch, told)
    expect((await estimate(10, 'm@1')).basis).toBe('assumed')
  })

  it('counts what a batch did again as often as it did it', async () => {
    const batch = '20260101-000000-aaaaaa'
    await done(batch, { images: 100, seconds: 60 })
    // Fired three times, with force.
    await saveBatch(results, batchOf('photos', {}, { batch, run: 3, dispatch: { next: 300 } }))
    expect(await estimate(1000, 'm@1')).toEqual({ gbSeconds: 200, cost: 2, basis: 'measured' })
  })

  it('is nothing for no images', async () => {
    expect(await estimate(0)).toMatchObject({ gbSeconds: 0, cost: 0 })
  })
})
