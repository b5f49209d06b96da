import fc from 'fast-check'
import { aggregate } from '../../src/batch/chunk/aggregate'
import { readChunk, writePart } from '../../src/batch/chunk/parts'
import { closeBatch } from '../../src/batch/close/close'
import { fromJsonLines } from '../../src/batch/json-lines'
import { resultsKey } from '../../src/batch/layout'
import { nextPass, type Plan, readPlan } from '../../src/batch/plan/plan'
import { readResults } from '../../src/batch/results/results'
import type { ChunkMessage } from '../../src/batch/run/dispatch'
import { runBatch } from '../../src/batch/run/run'
import { progressOf } from '../../src/batch/summary/progress'
import { readSummary } from '../../src/batch/summary/summary-object'
import { OpenWhiskError, StorageError } from '../../src/errors'
import type { OpenWhisk } from '../../src/openwhisk/client'
import { type BatchSummary, batchRequestSchema, type ImageRecord } from '../../src/schema'
import type { Bucket } from '../../src/storage/store'
import {
  advanceClock,
  collect,
  inBytes,
  minutes,
  model,
  okRecord,
  planOf,
  setClock,
  silentOpenWhisk,
  startTestStore,
  type TestStore,
  textOf,
  unrivalled,
  watched,
} from './batch-fixtures'

/** Sleeping takes no time: all that runs comes to its end, and the clock goes on by a minute. */
let mockSleep: () => Promise<void>
jest.mock('node:timers/promises', () => ({ setTimeout: () => mockSleep() }))

const sequence = '/guest/whisklens/classify-images'

let objects: TestStore
let photos: Bucket
let results: Bucket
let closings: BatchSummary[]

beforeAll(async () => {
  objects = await startTestStore()
})
afterAll(() => objects.close())
beforeEach(async () => {
  setClock('2026-11-22T08:00:00Z')
  await renew()
})
afterEach(() => jest.useRealTimers())

async function renew(): Promise<void> {
  photos = await objects.newBucket()
  results = await objects.newBucket()
  closings = []
}

/** What becomes of an activation of `classify-images`. */
type Fate = 'reports' | 'twice' | 'partly' | 'never' | 'refused'

interface Platform extends OpenWhisk {
  sent: ChunkMessage[]
  /** Resolves when no activation runs any more. */
  idle(): Promise<void>
}

/**
 * A platform that calls `aggregate` as the sequence would, with made-up records.
 * @param fateOf decides over each activation in turn; `partly` stops half-way, as `classify` near its deadline
 * @param deadly a container that gets one of these images never reports
 */
function platformOf(fateOf: (turn: number) => Fate, deadly: string[] = []): Platform {
  const running = new Set<Promise<unknown>>()
  const sent: ChunkMessage[] = []
  let turn = 0

  async function activate(message: ChunkMessage, activationId: string, fate: Fate): Promise<void> {
    const { batch, chunk, start, end } = message
    const images = (await readChunk(results, batch, chunk)).slice(start - chunk.start, end - chunk.start)
    expect(images).toHaveLength(end - start)
    if (fate === 'never' || images.some(({ key }) => deadly.includes(key))) return
    const done = fate === 'partly' ? images.slice(0, Math.ceil(images.length / 2)) : images
    const records = done.map(({ key, etag = null }) =>
      okRecord(key, { bucket: photos.name, etag, activationId, at: new Date().toISOString() }),
    )
    const classified = { batch, images: records, part: { start, end, chunk, model: message.model } }
    const context = {
      store: { bucket: () => photos },
      results,
      openwhisk: platform,
      activationId,
      sequence,
      resume: async () => {},
      reconcile: async () => {},
      onClosed: async (summary: object) => closings.push(summary as BatchSummary),
    }
    for (let report = 0; report < (fate === 'twice' ? 2 : 1); report++) await aggregate(classified, context)
  }

  const platform: Platform = {
    ...silentOpenWhisk,
    sent,
    invoke: async (name, params) => {
      expect(name).toBe(sequence)
      const fate = fateOf(turn++)
      if (fate === 'refused') throw new OpenWhiskError(429, 'Too many requests', { retryable: true })
      const message = params as ChunkMessage
      sent.push(message)
      // What fails in an activation is in its log and nowhere else.
      const work = activate(message, `a${turn}`, fate).catch((thrown) => {
        if (!(thrown instanceof OpenWhiskError)) throw thrown
      })
      running.add(work)
      work.finally(() => running.delete(work)).catch(() => {})
      return `a${turn}`
    },
    idle: async () => {
      while (running.size > 0) await Promise.all(running)
    },
  }
  mockSleep = async () => {
    await platform.idle()
    advanceClock(minutes(1))
  }
  return platform
}

const always = (fate: Fate) => (): Fate => fate

async function uploadMany(count: number, ...others: string[]): Promise<string[]> {
  const keys = Array.from({ length: count }, (_, number) => `k${String(number).padStart(3, '0')}.jpg`)
  await Promise.all([...keys, ...others].map((key) => photos.put(key, 'v1')))
  return [...keys, ...others].sort(inBytes)
}

/** One activation of `start-batch`, from the plan that is stored. */
async function activation(
  openwhisk: OpenWhisk,
  { lasts = minutes(600), through = results, chunkSize = 4 } = {},
) {
  const plan = (await readPlan(results, 'b1')) ?? planOf(photos.name, { chunkSize })
  return runBatch(plan, {
    images: photos,
    results: through,
    openwhisk,
    ...unrivalled(through),
    activationId: 'start',
    sequence,
    stopAt: Date.now() + lasts,
    onClosed: async (summary) => closings.push(summary),
  })
}

async function untilClosed(openwhisk: OpenWhisk, options = {}): Promise<BatchSummary> {
  for (let activations = 0; activations < 60; activations++) {
    const summary = await activation(openwhisk, options)
    if (summary) return summary
  }
  throw new Error('The batch never closed')
}

const recordsNow = (): Promise<ImageRecord[]> => collect(readResults(results, 'b1'))

/** Promise 1: every planned image ends in exactly one record of that batch's results. */
async function expectEachOnce(keys: string[], summary: BatchSummary, lost: string[] = []): Promise<void> {
  const records = fromJsonLines<ImageRecord>(
    Buffer.from((await textOf(results, resultsKey('b1', 'results.jsonl'))) ?? ''),
  )
  expect(records.map(({ key }) => key)).toEqual(keys)
  const errors = records.flatMap(({ key, error }) => (error ? [[key, error.code]] : []))
  expect(errors).toEqual(lost.map((key) => [key, 'lost']))
  expect(summary).toMatchObject({
    state: 'complete',
    totals: { planned: keys.length, ok: keys.length - lost.length, error: lost.length, pending: 0 },
  })
  expect(await readSummary(results, 'b1')).toEqual(summary)
}

describe('a batch', () => {
  it('ends with one record of each image, and tells of its end once', async () => {
    const keys = await uploadMany(30)
    const platform = platformOf(always('reports'))
    const summary = await untilClosed(platform)
    await expectEachOnce(keys, summary)
    expect(closings).toEqual([summary])
    expect(platform.sent).toHaveLength(8)
  })

  it('without images is complete', async () => {
    await expectEachOnce([], await untilClosed(platformOf(always('reports'))))
    expect(closings).toHaveLength(1)
  })

  it('is the same when every activation reports twice', async () => {
    const keys = await uploadMany(10)
    await expectEachOnce(keys, await untilClosed(platformOf(always('twice'))))
    expect(closings).toHaveLength(1)
  })

  it('goes on where activations stop half-way', async () => {
    const keys = await uploadMany(12)
    await expectEachOnce(keys, await untilClosed(platformOf(always('partly'))))
  })

  it('dispatches again what never reports', async () => {
    const keys = await uploadMany(12)
    const platform = platformOf((turn) => (turn < 3 ? 'never' : 'reports'))
    await expectEachOnce(keys, await untilClosed(platform))
    expect(platform.sent).toHaveLength(9)
  })

  it('finds the image that kills its container, and has all others', async () => {
    const keys = await uploadMany(8, 'deadly.jpg')
    const platform = platformOf(always('reports'), ['deadly.jpg'])
    const summary = await untilClosed(platform)
    await expectEachOnce(keys, summary, ['deadly.jpg'])
    expect(await textOf(results, resultsKey('b1', 'errors.jsonl'))).toContain('"attempts":5')
    expect(summary.errors).toEqual({ lost: 1 })
  })

  it('is slowed by a small quota, never failed', async () => {
    const keys = await uploadMany(12)
    const platform = platformOf((turn) => (turn % 4 === 3 ? 'reports' : 'refused'))
    await expectEachOnce(keys, await untilClosed(platform))
  })

  it('whose activations all die and whose platform is short of room loses images only after trying them', async () => {
    const keys = await uploadMany(2)
    const platform = platformOf((turn) => (turn % 3 === 0 ? 'never' : 'refused'))
    await expectEachOnce(keys, await untilClosed(platform), keys)
    const tries = (at: number) => platform.sent.filter(({ start, end }) => start <= at && at < end).length
    expect(tries(0)).toBeGreaterThanOrEqual(3)
    expect(tries(1)).toBeGreaterThanOrEqual(3)
  })

  it('of more than one page is closed by its own run', async () => {
    const plan = planOf(photos.name, {}, { planned: 1200, listed: 1200, next: 1200, done: true, cursor: 'z' })
    plan.outstanding.push({ start: 0, end: 1, chunk: { start: 0, end: 50 }, at: Date.now(), attempts: 1 })
    for (let start = 0; start < 1200; start += 400) {
      const records = Array.from({ length: 400 }, (_, index) => okRecord(`k${1000 + start + index}`))
      await writePart(results, 'b1', start, records, 'a1')
    }
    platformOf(always('reports'))
    const summary = await runBatch(plan, {
      images: photos,
      results,
      openwhisk: silentOpenWhisk,
      ...unrivalled(results),
      activationId: 'start',
      sequence,
      stopAt: Date.now() + minutes(5),
      onClosed: async (closing) => closings.push(closing),
    })
    expect(summary?.totals).toMatchObject({ ok: 1200, pending: 0 })
    expect(closings).toHaveLength(1)
  })

  it('fails when its listing does, and says why', async () => {
    await uploadMany(3)
    platformOf(always('reports'))
    const broken: Bucket = {
      ...photos,
      // biome-ignore lint/correctness/useYield: it fails before the first object
      list: async function* () {
        throw new StorageError('listing_unordered', 200, 'The store listed "a" after "b"')
      },
    }
    const run = runBatch(planOf(photos.name), {
      images: broken,
      results,
      openwhisk: silentOpenWhisk,
      ...unrivalled(results),
      activationId: 'start',
      sequence,
      stopAt: Date.now() + minutes(5),
      onClosed: async () => {},
    })
    await expect(run).rejects.toMatchObject({ code: 'listing_unordered' })
  })
})

describe('a batch that outlasts an activation', () => {
  it('is handed over in the middle and ends with one record of each image', async () => {
    const keys = await uploadMany(24)
    const platform = platformOf((turn) => (turn % 3 === 1 ? 'never' : 'reports'))
    expect(await activation(platform, { lasts: minutes(2) })).toBeUndefined()
    expect(await readSummary(results, 'b1')).toMatchObject({ exact: false, endedAt: null })
    const summary = await untilClosed(platform, { lasts: minutes(2) })
    await expectEachOnce(keys, summary)
    expect(closings).toHaveLength(1)
  })

  it('is not planned twice by the next one', async () => {
    await uploadMany(24)
    const platform = platformOf(always('reports'))
    await activation(platform, { lasts: minutes(1) })
    await untilClosed(platform)
    const positions = platform.sent.map(({ start }) => start)
    expect(positions).toEqual([...new Set(positions)])
  })

  it('survives the death of its activation at any request', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 45 }),
        fc.integer({ min: 1, max: 45 }),
        async (...deaths) => {
          await renew()
          const keys = await uploadMany(10)
          const platform = platformOf((turn) => (turn % 4 === 2 ? 'never' : 'reports'))
          for (const requests of deaths) {
            let left = requests
            const dying = watched(results, () => {
              if (left-- <= 0) throw new StorageError('store_failed', 0, 'The process is gone')
            })
            await activation(platform, { through: dying, chunkSize: 2 }).catch((thrown) => {
              expect(thrown).toMatchObject({ message: 'The process is gone' })
            })
            await platform.idle()
          }
          await expectEachOnce(keys, await untilClosed(platform, { chunkSize: 2 }))
        },
      ),
      { numRuns: 6 },
    )
  })
})

describe('a batch whose activations', () => {
  it('report, repeat, stop, die or are refused in any mixture ends with one record of each image', async () => {
    const fates = fc.array(fc.constantFrom<Fate>('reports', 'twice', 'partly', 'never', 'refused'), {
      minLength: 4,
      maxLength: 20,
    })
    await fc.assert(
      fc.asyncProperty(fates, fc.integer({ min: 1, max: 6 }), async (script, chunkSize) => {
        await renew()
        const keys = await uploadMany(14)
        const platform = platformOf((turn) => script[turn] ?? 'reports')
        await expectEachOnce(keys, await untilClosed(platform, { chunkSize, lasts: minutes(15) }))
      }),
      { numRuns: 6 },
    )
  })
})

describe('a batch that is fired again', () => {
  const second = async (openwhisk: OpenWhisk, asked = {}): Promise<BatchSummary | undefined> => {
    const before = await readPlan(results, 'b1')
    const plan = nextPass(before ?? planOf(photos.name), batchRequestSchema.parse(asked), {
      model: 'tiny',
      modelVersion: model,
    })
    return runBatch(plan, {
      images: photos,
      results,
      openwhisk,
      ...unrivalled(results),
      activationId: 'again',
      sequence,
      stopAt: Date.now() + minutes(60),
      onClosed: async (summary) => closings.push(summary),
    })
  }

  it('does only what is missing', async () => {
    await uploadMany(6)
    const platform = platformOf(always('reports'))
    await untilClosed(platform)
    advanceClock(minutes(20))
    await photos.put('k003.jpg', 'v2')
    await photos.put('new.jpg', 'v1')
    platform.sent.splice(0)
    const summary = await second(platform)
    expect(platform.sent.reduce((sum, { start, end }) => sum + end - start, 0)).toBe(2)
    expect(summary?.totals).toMatchObject({ listed: 7, skipped: 5, ok: 7, pending: 0 })
    const records = await recordsNow()
    expect(records).toHaveLength(7)
    expect(records.find(({ key }) => key === 'k003.jpg')?.etag).toBe((await photos.head('k003.jpg'))?.etag)
  })

  it('has its new results although a late closer of the first time writes over the summary', async () => {
    await uploadMany(3)
    const platform = platformOf(always('reports'))
    await untilClosed(platform)
    const old = await readPlan(results, 'b1')
    advanceClock(minutes(20))
    await photos.put('new.jpg', 'v1')
    const sleep = mockSleep
    mockSleep = async () => {
      await sleep()
      if (old) await closeBatch(results, old)
    }
    expect((await second(platform))?.totals).toMatchObject({ ok: 4, pending: 0 })
    expect((await recordsNow()).map(({ key }) => key)).toContain('new.jpg')
  })
})

describe('the progress of an open batch', () => {
  const progress = (changes: Partial<Plan>) =>
    progressOf(planOf('photos', {}, { planned: 100, listed: 120, skipped: 20, chunkSize: 10, ...changes }))

  it('counts what is reported as done and the rest as pending', () => {
    const outstanding = [{ start: 30, end: 40, chunk: { start: 30, end: 40 }, at: 1, attempts: 1 }]
    expect(progress({ next: 50, outstanding, errors: 4 })).toMatchObject({
      state: 'planning',
      exact: false,
      totals: { listed: 120, planned: 100, skipped: 20, ok: 36, error: 4, pending: 60 },
      endedAt: null,
    })
  })

  it('is running once everything is planned', () => {
    expect(progress({ done: true }).state).toBe('running')
  })
})
