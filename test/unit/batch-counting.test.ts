import { addUsage } from '../../src/batch/records/usage'
import { emptyTally, summarize } from '../../src/batch/reports/summary'
import { readBatch } from '../../src/batch/state/batch'
import { recordKey } from '../../src/batch/state/layout'
import {
  collect,
  minutes,
  model,
  okRecord,
  putSummary,
  startTestStore,
  type TestStore,
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
  runner.openwhisk.memoryOf = async () => 1024
  runner.settings.gbSecondPrice = '0.5'
  for (const key of ['a', 'b', 'c', 'd']) await runner.photos.put(key, 'v1')
  await measured()
})

/** A batch to estimate from: 2 GB-seconds per image, so that each costs 1. */
async function measured(): Promise<void> {
  const tally = { ...emptyTally(), ok: 10 }
  addUsage(tally.usage, { classifyMs: 20_000, aggregateMs: 0, container: 'a' })
  const summary = summarize(tally, {
    batch: '20261121-000000-aaaaaa',
    state: 'complete',
    model,
    memory: { classify: 1024, aggregate: 1024 },
    listed: 10,
    planned: 10,
    skipped: 0,
    exact: true,
    startedAt: '2026-11-21T00:00:00.000Z',
  })
  await putSummary(runner.results, summary)
}

/** Stores the record of an image, like `aggregate`. */
async function keep(key: string): Promise<void> {
  const etag = (await runner.photos.head(key))?.etag ?? null
  const record = okRecord(key, { bucket: runner.photos.name, etag })
  await runner.results.put(recordKey(model, record), JSON.stringify(record))
}

const written = async (): Promise<string[]> =>
  (await collect(runner.results.list())).map(({ key }) => key).filter((key) => !key.includes('20261121'))

describe('a dry run', () => {
  it('returns the images due and their cost, and starts nothing', async () => {
    await keep('b')
    const before = await written()
    expect(await runner.start({ dryRun: true })).toMatchObject({
      state: 'planning',
      totals: { listed: 4, planned: 3, skipped: 1, ok: 0, pending: 3 },
      gbSeconds: 6,
      cost: 3,
      pricePerGbSecond: 0.5,
      endedAt: null,
    })
    expect(await written()).toEqual(before)
    expect(runner.invoked).toEqual([])
  })

  it('deletes no record of a missing image', async () => {
    await keep('b')
    await runner.photos.delete('b')
    const before = await written()
    await runner.start({ dryRun: true })
    expect(await written()).toEqual(before)
  })

  it('is refused when there are too many images to count', async () => {
    const late = runner.start({ dryRun: true }, { deadline: runner.clock.now() + minutes(1) })
    await expect(late).rejects.toMatchObject({ code: 'too_many_images', message: /one activation can count/ })
  })
})

describe('a batch with maxCost', () => {
  it('is refused before anything is written, with both amounts', async () => {
    await expect(runner.start({ batch: 'b1', maxCost: 3.99 })).rejects.toMatchObject({
      code: 'cost_exceeded',
      message: 'A batch of 4 is likely to cost 4 (8 GB-s, from earlier batches), more than maxCost, 3.99',
    })
    expect(await written()).toEqual([])
    expect(runner.invoked).toEqual([])
  })

  it('counts only the images that its filters select', async () => {
    await expect(runner.start({ batch: 'b1', maxCost: 1 })).rejects.toThrow('batch of 4')
    expect(await runner.start({ batch: 'b1', maxCost: 1, limit: 1 })).toMatchObject({ totals: { ok: 1 } })
  })

  it('that is complete is estimated by its next run', async () => {
    await runner.start({ batch: 'b1', maxCost: 4 })
    for (const key of await runner.keysOf('b1')) await keep(key)
    await runner.photos.put('e', 'v1')
    const before = await readBatch(runner.results, 'b1')
    await expect(runner.start({ batch: 'b1', maxCost: 4, force: true })).rejects.toThrow(
      'batch of 5 is likely to cost 5',
    )
    await expect(runner.start({ batch: 'b1', maxCost: 0.5 })).rejects.toThrow('batch of 1')
    expect(await readBatch(runner.results, 'b1')).toEqual(before)
    expect((await runner.start({ batch: 'b1', maxCost: 1 })).totals).toMatchObject({ ok: 5 })
  })
})
