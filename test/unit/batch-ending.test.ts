import { readChunk, writePart } from '../../src/batch/chunk/parts'
import { fromJsonLines } from '../../src/batch/json-lines'
import { resultsKey } from '../../src/batch/layout'
import { type Plan, readPlan, resumePass } from '../../src/batch/plan/plan'
import { hasTooManyErrors, requestCancel, withdrawCancel } from '../../src/batch/run/ending'
import { runBatch } from '../../src/batch/run/run'
import { reported } from '../../src/batch/summary/progress'
import { readSummary } from '../../src/batch/summary/summary-object'
import type { OpenWhisk } from '../../src/openwhisk/client'
import { batchRequestSchema, type ImageRecord, rangeSchema } from '../../src/schema'
import type { Bucket } from '../../src/storage/store'
import {
  advanceClock,
  errorRecord,
  minutes,
  okRecord,
  planOf,
  setClock,
  silentOpenWhisk,
  startTestStore,
  type TestStore,
  textOf,
  unrivalled,
} from './batch-fixtures'

let mockSleep: () => void
jest.mock('node:timers/promises', () => ({ setTimeout: async () => mockSleep() }))

let objects: TestStore
let photos: Bucket
let results: Bucket

beforeAll(async () => {
  objects = await startTestStore()
})
afterAll(() => objects.close())
beforeEach(async () => {
  setClock('2026-11-22T08:00:00Z')
  mockSleep = () => advanceClock(1000)
  photos = await objects.newBucket()
  results = await objects.newBucket()
  for (let number = 0; number < 24; number++) await photos.put(`k${String(number).padStart(2, '0')}`, 'v1')
})
afterEach(() => jest.useRealTimers())

/** A sequence that is done as soon as it is invoked; images of the given keys fail. */
const platform = (fails: (key: string) => boolean = () => false): OpenWhisk => ({
  ...silentOpenWhisk,
  invoke: async (_, message) => {
    const { batch, chunk, start } = message as { batch: string; chunk: unknown; start: number }
    const images = await readChunk(results, batch, rangeSchema.parse(chunk))
    const records = images.map(({ key }) => (fails(key) ? errorRecord(key) : okRecord(key)))
    await writePart(results, batch, start, records, 'a1')
    return 'a1'
  },
})

const run = (plan: Plan, openwhisk: OpenWhisk) =>
  runBatch(plan, {
    images: photos,
    results,
    openwhisk,
    activationId: 'start',
    ...unrivalled(results),
    sequence: '/guest/whisklens/classify-images',
    stopAt: Date.now() + minutes(5),
    onClosed: async () => {},
  })

const keysOfResults = async (): Promise<string[]> =>
  fromJsonLines<ImageRecord>(
    Buffer.from((await textOf(results, resultsKey('b1', 'results.jsonl'))) ?? ''),
  ).map(({ key }) => key)

describe('a batch that is cancelled', () => {
  it('ends with what is done, and goes on from there when it is fired again', async () => {
    const plan = planOf(photos.name, { chunkSize: 1 })
    let invoked = 0
    const cancelling: OpenWhisk = {
      ...platform(),
      invoke: async (name, message) => {
        if (++invoked === 5) await requestCancel(results, 'b1')
        return platform().invoke(name, message)
      },
    }
    const cancelled = await run(plan, cancelling)
    expect(cancelled).toMatchObject({ state: 'cancelled', totals: { error: 0 } })
    const done = cancelled?.totals.ok ?? 0
    expect(done).toBeGreaterThanOrEqual(5)
    expect(done).toBeLessThan(24)
    expect(await keysOfResults()).toHaveLength(done)
    await withdrawCancel(results, 'b1')
    const stored = await readPlan(results, 'b1')
    expect(stored?.ended).toBe('cancelled')
    const again = await run(resumePass(stored as Plan, batchRequestSchema.parse({})), platform())
    expect(again).toMatchObject({ state: 'complete', totals: { planned: 24, ok: 24, pending: 0 } })
    expect(await keysOfResults()).toHaveLength(24)
  })
})

describe('a batch whose closing was cut off', () => {
  it('is closed as it was ended, and nothing more of it is planned or dispatched', async () => {
    const plan = planOf(photos.name, { chunkSize: 1 }, { ended: 'stopped' })
    const idle: OpenWhisk = {
      ...silentOpenWhisk,
      invoke: () => Promise.reject(new Error('Not to be called')),
    }
    expect(await run(plan, idle)).toMatchObject({ state: 'stopped', totals: { planned: 0, pending: 0 } })
    expect(await keysOfResults()).toEqual([])
  })
})

describe('a batch with a limit of errors', () => {
  it('stops its fan-out once more failed, and keeps what is done', async () => {
    const plan = planOf(photos.name, { chunkSize: 1, maxErrors: '2' })
    const summary = await run(
      plan,
      platform((key) => key < 'k06'),
    )
    expect(summary).toMatchObject({ state: 'stopped', reason: expect.stringContaining('maxErrors (2)') })
    expect(await readSummary(results, 'b1')).toEqual(summary)
    expect(summary?.totals.error).toBeGreaterThan(2)
    expect(summary?.totals.pending).toBeGreaterThan(0)
    expect(await keysOfResults()).toHaveLength((summary?.totals.ok ?? 0) + (summary?.totals.error ?? 0))
  })

  it('is complete when no more than that failed', async () => {
    const plan = planOf(photos.name, { chunkSize: 1, maxErrors: '2' })
    const summary = await run(
      plan,
      platform((key) => key < 'k02'),
    )
    expect(summary).not.toHaveProperty('reason')
    expect(summary).toMatchObject({ state: 'complete', totals: { ok: 22, error: 2 } })
  })

  it('given as a share, judges it from twenty images on', () => {
    const plan = planOf('photos', { maxErrors: '5%' }, { next: 19, planned: 1000, errors: 19 })
    expect(hasTooManyErrors(plan)).toBe(false)
    expect(hasTooManyErrors({ ...plan, next: 100, errors: 5 })).toBe(false)
    expect(hasTooManyErrors({ ...plan, next: 100, errors: 6 })).toBe(true)
  })

  it('counts what is under way as not reported', () => {
    const outstanding = [{ start: 10, end: 20, chunk: { start: 10, end: 20 }, at: 0, attempts: 1 }]
    expect(reported(planOf('photos', {}, { next: 20, planned: 50, outstanding }))).toBe(10)
  })
})

describe('a batch request', () => {
  it.each(['x', '-1', '5 %', '%', '1.5'])('with maxErrors %j is refused', (maxErrors) => {
    expect(batchRequestSchema.safeParse({ maxErrors }).success).toBe(false)
  })

  it('takes maxErrors as a number, as wsk sends it', () => {
    expect(batchRequestSchema.parse({ maxErrors: 7 }).maxErrors).toBe('7')
  })
})
