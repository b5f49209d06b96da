import fc from 'fast-check'
import { writePart } from '../../src/batch/chunk/parts'
import { closeBatch } from '../../src/batch/close/close'
import type { CloseOptions } from '../../src/batch/close/write-results'
import { toJsonLines } from '../../src/batch/json-lines'
import {
  closingKey,
  closingPrefix,
  removedKey,
  resultsKey,
  resultsNames,
  summaryKey,
} from '../../src/batch/layout'
import { type Plan, resumePass } from '../../src/batch/plan/plan'
import { runBatch } from '../../src/batch/run/run'
import { StorageError } from '../../src/errors'
import { batchRequestSchema } from '../../src/schema'
import type { Bucket } from '../../src/storage/store'
import {
  advanceClock,
  collect,
  counted,
  errorRecord,
  minutes,
  okRecord,
  planOf,
  type Request,
  setClock,
  silentOpenWhisk,
  startTestStore,
  type TestStore,
  tabby,
  unrivalled,
  watched,
} from './batch-fixtures'

let objects: TestStore
let results: Bucket

beforeAll(async () => {
  objects = await startTestStore()
})
afterAll(() => objects.close())

/** Forty images in two passes, so large that two of the files are of several parts. */
const planned = 46
const plan: Plan = planOf(
  'photos',
  {},
  { passes: [0, 40], planned, listed: 6, next: planned, done: true, swept: [0, 1] },
)
const key = (number: number): string => `key-${String(number).padStart(2, '0')}`
const large = (number: number, pass: number) =>
  number % 3 === 0
    ? okRecord(key(number), { size: pass, labels: [{ ...tabby, className: 'é'.repeat(150_000) }] })
    : errorRecord(key(number), { message: `${number} ${'é'.repeat(150_000)}` }, { size: pass })
const usage = (number: number) => ({
  classifyMs: 100 * number,
  aggregateMs: number,
  container: `c${number % 4}`,
})

async function writeParts(bucket: Bucket): Promise<void> {
  for (const start of [0, 7, 14, 21, 28, 35]) {
    const records = Array.from({ length: Math.min(8, 40 - start) }, (_, at) => large(start + at, 0))
    await writePart(bucket, 'b1', start, records, 'a1', usage(start))
  }
  const again = [0, 3, 4, 20, 39, 40].map((number) => large(number, 1))
  await writePart(bucket, 'b1', 40, again, 'a1', usage(40))
  await bucket.put(removedKey('b1', 1, 0), toJsonLines([{ key: key(7) }, { key: key(20) }, { key: key(38) }]))
}

const etags = (bucket: Bucket): Promise<(string | undefined)[]> =>
  Promise.all(
    [...resultsNames.map((name) => resultsKey('b1', name)), summaryKey('b1')].map(
      async (name) => (await bucket.head(name))?.etag,
    ),
  )

const remove = async (bucket: Bucket): Promise<void> => {
  for (const name of resultsNames) await bucket.delete(resultsKey('b1', name))
  await bucket.delete(summaryKey('b1'))
}

/** What no closing is to leave. */
async function expectNothingLeft(bucket: Bucket): Promise<void> {
  expect(await collect(bucket.list({ prefix: closingPrefix('b1') }))).toEqual([])
  expect(await objects.unfinishedUploads(bucket)).toEqual([])
}

/** Time is up after so many images, whatever the clock says. */
const stopAfter = (images: number): CloseOptions => {
  let seen = 0
  return { stopAt: images, now: () => ++seen }
}
const unhurried: CloseOptions = { stopAt: Number.POSITIVE_INFINITY }

let expected: (string | undefined)[]

beforeAll(async () => {
  results = await objects.newBucket()
  await writeParts(results)
  await closeBatch(results, plan)
  expected = await etags(results)
})
beforeEach(() => remove(results))
afterEach(() => expectNothingLeft(results))

describe('a closing of many large records', () => {
  it('has what the passes left, and counts what each part used once', async () => {
    const closed = await closeBatch(results, plan)
    expect(closed.summary.totals).toMatchObject({ planned: 39, ok: 14, error: 25, pending: 0 })
    expect(closed.summary.containers).toBe(4)
    // 512 MB for `classify` and 256 MB for `aggregate`, as in the manifest.
    const milliseconds = 0 + 7 + 14 + 21 + 28 + 35 + 40
    expect(closed.summary.gbSeconds).toBeCloseTo(
      (milliseconds * 100 * 512 + milliseconds * 256) / 1024 / 1000,
    )
    expect((await results.head(resultsKey('b1', 'results.jsonl')))?.etag).toMatch(/-3$/)
  })

  it('is the same wherever it was interrupted, and however often', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 4 }),
        fc.integer({ min: 1, max: 20 }),
        async (stops, checkpointEvery) => {
          await remove(results)
          for (const stop of stops) await closeBatch(results, plan, { ...stopAfter(stop), checkpointEvery })
          await closeBatch(results, plan, unhurried)
          expect(await etags(results)).toEqual(expected)
          await expectNothingLeft(results)
        },
      ),
      { numRuns: 3 },
    )
  })

  it('that was cancelled twice has what was reported in between', async () => {
    const bucket = await objects.newBucket()
    const records = (start: number) => Array.from({ length: 10 }, (_, at) => large(start + at, 0))
    const cancelled = planOf('photos', {}, { planned: 40, next: 40, done: true, ended: 'cancelled' })
    for (const start of [0, 20, 30]) await writePart(bucket, 'b1', start, records(start), 'a1')
    expect(await closeBatch(bucket, cancelled, stopAfter(25))).toBeUndefined()
    expect(await bucket.head(closingKey('b1'))).toBeDefined()
    await writePart(bucket, 'b1', 10, records(10), 'a1')
    const again: Plan = { ...resumePass(cancelled, batchRequestSchema.parse({})), ended: 'cancelled' }
    const closed = await closeBatch(bucket, again, unhurried)
    expect(closed?.summary.totals).toMatchObject({ ok: 14, error: 26, pending: 0 })
    await expectNothingLeft(bucket)
  })

  it('goes on instead of beginning anew', async () => {
    expect(await closeBatch(results, plan, stopAfter(30))).toBeUndefined()
    const { bucket, requests } = counted(results)
    await closeBatch(bucket, plan, unhurried)
    const parts = requests.filter(({ method, key: name }) => method === 'get' && name.includes('/parts/'))
    // The rest of one part, one more, and what is left of the other pass.
    expect(parts).toHaveLength(3)
    expect(await etags(results)).toEqual(expected)
  })

  it('is the same when it was killed at any request, and leaves no upload of those killed', async () => {
    const { bucket, requests } = counted(results)
    await closeBatch(bucket, plan, { ...unhurried, checkpointEvery: 10 })
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: 1, max: requests.length }), { minLength: 1, maxLength: 2 }),
        async (kills) => {
          await remove(results)
          for (const kill of kills) {
            await closeBatch(dyingAfter(kill), plan, { ...unhurried, checkpointEvery: 10 }).catch(() => {})
          }
          await closeBatch(results, plan, unhurried)
          expect(await etags(results)).toEqual(expected)
          await expectNothingLeft(results)
        },
      ),
      { numRuns: 3 },
    )
  })

  /** The bucket of a process that is killed after so many requests: not even its cleaning up is heard of. */
  function dyingAfter(requests: number): Bucket {
    let left = requests
    return watched(results, () => {
      if (left-- <= 0) throw new StorageError('store_failed', 0, 'Nobody is there to ask')
    })
  }

  it('is the same when several close at once, of whom one keeps checkpoints', async () => {
    const closings = await Promise.all([
      closeBatch(results, plan),
      closeBatch(results, plan, { ...unhurried, checkpointEvery: 4 }),
      closeBatch(results, plan),
    ])
    expect(closings.filter((closed) => closed?.first)).toHaveLength(1)
    expect(await etags(results)).toEqual(expected)
  })

  it('is never broken by a former holder of the lease who goes on as well', async () => {
    await closeBatch(results, plan, stopAfter(20))
    await Promise.allSettled([1, 2].map(() => closeBatch(results, plan, unhurried)))
    // Each may have stood in the other's way, yet what is there is right.
    for (const [index, etag] of (await etags(results)).entries()) {
      if (etag !== undefined) expect(etag).toBe(expected[index])
    }
    await closeBatch(results, plan, unhurried)
    expect(await etags(results)).toEqual(expected)
  })

  it('stops where somebody else has taken charge, and leaves the checkpoint to them', async () => {
    await closeBatch(results, plan, stopAfter(25))
    const takenOver = { ...unhurried, stillThere: async () => false }
    await expect(closeBatch(results, plan, takenOver)).rejects.toMatchObject({ code: 'batch_taken_over' })
    expect(await results.head(closingKey('b1'))).toBeDefined()
    await closeBatch(results, plan, unhurried)
    expect(await etags(results)).toEqual(expected)
  })

  it('begins anew when its checkpoint is gone', async () => {
    for (const lost of ['.rest', 'upload'] as const) {
      await closeBatch(results, plan, stopAfter(25))
      if (lost === 'upload') {
        const name = resultsKey('b1', 'results.jsonl')
        for (const upload of await results.listUploads(name)) await results.abortUpload(name, upload)
      } else {
        for await (const { key: name } of results.list({ prefix: closingPrefix('b1') }))
          if (name.endsWith(lost)) await results.delete(name)
      }
      await closeBatch(results, plan, unhurried)
      expect(await etags(results)).toEqual(expected)
      await expectNothingLeft(results)
    }
  })

  it('begins anew when the plan has changed since', async () => {
    await closeBatch(results, { ...plan, ended: 'cancelled' }, stopAfter(30))
    expect(await results.head(closingKey('b1'))).toBeDefined()
    await closeBatch(results, plan, unhurried)
    expect(await etags(results)).toEqual(expected)
  })
})

describe('a run that comes to closing late', () => {
  afterEach(() => jest.useRealTimers())

  it('leaves it to the next activation, which goes on with it', async () => {
    const closings: unknown[] = []
    const run = (bucket: Bucket) =>
      runBatch(plan, {
        images: results,
        results: bucket,
        openwhisk: silentOpenWhisk,
        activationId: 'a1',
        ...unrivalled(bucket),
        sequence: '/guest/whisklens/classify-images',
        stopAt: Date.now() + minutes(5),
        onClosed: async (summary) => closings.push(summary),
      })
    setClock('2026-11-22T08:00:00Z')
    const slow = watched(results, ({ method }) => {
      if (method === 'uploadPart') advanceClock(minutes(6))
    })
    expect(await run(slow)).toBeUndefined()
    expect(await results.head(closingKey('b1'))).toBeDefined()
    const summary = await run(results)
    expect(closings).toEqual([summary])
    expect(await etags(results)).toEqual(expected)
  })
})

describe('a closing that fails', () => {
  const failing = (method: Request['method'], retryable: boolean): Bucket => ({
    ...results,
    [method]: async () => {
      throw new StorageError('store_failed', retryable ? 503 : 507, 'It does not take it', { retryable })
    },
  })

  it('for good leaves neither uploads nor checkpoints', async () => {
    await closeBatch(results, plan, stopAfter(25))
    for (const options of [unhurried, {}]) {
      await expect(closeBatch(failing('completeUpload', false), plan, options)).rejects.toMatchObject({
        status: 507,
      })
    }
  })

  it('for reasons that may pass leaves its checkpoint, and no upload beside it', async () => {
    await expect(
      closeBatch(failing('completeUpload', true), plan, { ...unhurried, checkpointEvery: 10 }),
    ).rejects.toMatchObject({ status: 503 })
    expect(await results.head(closingKey('b1'))).toBeDefined()
    const { bucket, requests } = counted(results)
    await closeBatch(bucket, plan, unhurried)
    expect(requests.filter(({ method }) => method === 'beginUpload')).toEqual([])
    expect(await etags(results)).toEqual(expected)
  })

  it('without a lease leaves the checkpoint of whoever has it alone', async () => {
    await closeBatch(results, plan, stopAfter(25))
    const begun = await objects.unfinishedUploads(results)
    await expect(closeBatch(failing('completeUpload', false), plan)).rejects.toMatchObject({ status: 507 })
    expect(await results.head(closingKey('b1'))).toBeDefined()
    expect(await objects.unfinishedUploads(results)).toEqual(begun)
    await closeBatch(results, plan, unhurried)
    expect(await etags(results)).toEqual(expected)
  })
})

describe('a closing of little', () => {
  const small: Plan = planOf('photos', {}, { batch: 'small', planned: 300, next: 300, done: true })

  beforeAll(async () => {
    const records = Array.from({ length: 300 }, (_, number) => okRecord(`key-${number + 100}`))
    await writePart(results, 'small', 0, records, 'a1')
  })

  it('is one request a file, without checkpoints', async () => {
    const { bucket, requests } = counted(results)
    await closeBatch(bucket, small, { ...unhurried, checkpointEvery: 10 })
    const written = requests.filter(({ method }) => !['get', 'find', 'head', 'list'].includes(method))
    expect(written).toEqual(
      [...resultsNames.map((name) => resultsKey('small', name)), summaryKey('small')].map((name) => ({
        method: 'put',
        key: name,
      })),
    )
  })

  it('that is interrupted begins anew, and has left nothing', async () => {
    const { bucket, requests } = counted(results)
    expect(await closeBatch(bucket, small, stopAfter(200))).toBeUndefined()
    expect(requests.map(({ method }) => method)).not.toContain('put')
    expect(await closeBatch(results, small, unhurried)).toMatchObject({ summary: { totals: { ok: 300 } } })
  })

  it('says now and then that it is still there', async () => {
    let said = 0
    const stillThere = async () => {
      said++
      return true
    }
    await closeBatch(results, small, { stillThere })
    expect(said).toBe(5)
  })
})
