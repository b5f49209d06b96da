import fc from 'fast-check'
import { type AggregateContext, aggregate } from '../../src/batch/chunk/aggregate'
import { writePart } from '../../src/batch/chunk/parts'
import { closeBatch } from '../../src/batch/close/close'
import { csvHeader } from '../../src/batch/close/csv'
import { fromJsonLines } from '../../src/batch/json-lines'
import { resultsKey, summaryKey } from '../../src/batch/layout'
import type { Plan } from '../../src/batch/plan/plan'
import { readSummary } from '../../src/batch/summary/summary-object'
import { StorageError } from '../../src/errors'
import type { ImageRecord } from '../../src/schema'
import type { Bucket } from '../../src/storage/store'
import {
  errorRecord,
  okRecord,
  planOf,
  savePlan,
  silentOpenWhisk,
  startTestStore,
  type TestStore,
  textOf,
} from './batch-fixtures'

let objects: TestStore
let results: Bucket

beforeAll(async () => {
  objects = await startTestStore()
})
afterAll(() => objects.close())
beforeEach(async () => {
  results = await objects.newBucket()
})

const done = (planned: number, changes: Partial<Plan> = {}): Plan =>
  planOf('photos', {}, { planned, listed: planned, next: planned, done: true, cursor: 'z', ...changes })

const contextOf = (bucket: Bucket, activationId: string, onClosed = async () => {}): AggregateContext => ({
  store: { bucket: () => bucket },
  results: bucket,
  openwhisk: silentOpenWhisk,
  activationId,
  resume: async () => {},
  reconcile: async () => {},
  sequence: '/guest/whisklens/classify-images',
  onClosed,
})

const files = async (bucket: Bucket) => ({
  results: await textOf(bucket, resultsKey('b1', 'results.jsonl')),
  csv: await textOf(bucket, resultsKey('b1', 'results.csv')),
  errors: await textOf(bucket, resultsKey('b1', 'errors.jsonl')),
  summary: await textOf(bucket, summaryKey('b1')),
})

const keysOf = (text: string | undefined): string[] =>
  fromJsonLines<ImageRecord>(Buffer.from(text ?? '')).map(({ key }) => key)

describe('closing a batch', () => {
  it('leaves its records, those in error once more by themselves, a table and the summary', async () => {
    await writePart(results, 'b1', 2, [okRecord('c')], 'a2')
    await writePart(results, 'b1', 0, [okRecord('a'), errorRecord('b')], 'a1')
    const { summary, first } = await closeBatch(results, done(3, { skipped: 2, listed: 5 }))
    const written = await files(results)
    expect(first).toBe(true)
    expect(keysOf(written.results)).toEqual(['a', 'b', 'c'])
    expect(keysOf(written.errors)).toEqual(['b'])
    expect(written.csv?.split('\r\n')).toHaveLength(5)
    expect(summary).toMatchObject({
      state: 'complete',
      exact: true,
      totals: { listed: 5, planned: 3, skipped: 2, ok: 2, error: 1, pending: 0 },
    })
    expect(await readSummary(results, 'b1')).toEqual(summary)
  })

  it('leaves empty files for a batch without images', async () => {
    const { summary } = await closeBatch(results, done(0))
    expect(await files(results)).toMatchObject({ results: '', errors: '', csv: csvHeader })
    expect(summary).toMatchObject({
      state: 'complete',
      totals: { planned: 0, ok: 0 },
      endedAt: summary.startedAt,
    })
  })

  it('twice leaves the same bytes and is the first time only once', async () => {
    await writePart(results, 'b1', 0, [okRecord('a'), errorRecord('b')], 'a1')
    await closeBatch(results, done(2))
    const before = await files(results)
    expect((await closeBatch(results, done(2))).first).toBe(false)
    expect(await files(results)).toEqual(before)
  })

  it('by many at once is the first time for one of them', async () => {
    await writePart(results, 'b1', 0, [okRecord('a'), errorRecord('b')], 'a1')
    const closings = await Promise.all(Array.from({ length: 6 }, () => closeBatch(results, done(2))))
    expect(closings.filter(({ first }) => first)).toHaveLength(1)
    expect(new Set(closings.map(({ summary }) => JSON.stringify(summary))).size).toBe(1)
    expect(keysOf((await files(results)).results)).toEqual(['a', 'b'])
  })

  it('writes results larger than one request, without holding them', async () => {
    const message = 'x'.repeat(4096)
    const key = (number: number) => `key-${String(number).padStart(5, '0')}`
    for (let start = 0; start < 1800; start += 300) {
      const records = Array.from({ length: 300 }, (_, index) => errorRecord(key(start + index), { message }))
      await writePart(results, 'b1', start, records, 'a1')
    }
    await closeBatch(results, done(1800))
    const { results: text, errors } = await files(results)
    expect(text?.length).toBeGreaterThan(7 * 1024 * 1024)
    expect(errors).toBe(text)
    expect(keysOf(text)).toEqual(Array.from({ length: 1800 }, (_, number) => key(number)))
  })

  it('counts an image once however many passes did it, and as pending what an ended batch has not done', async () => {
    await writePart(results, 'b1', 0, [okRecord('a'), errorRecord('b')], 'a1')
    await writePart(results, 'b1', 2, [okRecord('b')], 'a1')
    const passes = [0, 2]
    const complete = (await closeBatch(results, done(3, { passes }))).summary
    expect(complete).toMatchObject({ state: 'complete', totals: { planned: 2, ok: 2, error: 0, pending: 0 } })
    const ended = (await closeBatch(results, done(5, { passes, ended: 'cancelled' }))).summary
    expect(ended).toMatchObject({ state: 'cancelled', totals: { planned: 4, ok: 2, error: 0, pending: 2 } })
  })

  it('fails, and does not wait for ever, when the store takes no more', async () => {
    await writePart(results, 'b1', 0, [errorRecord('a', { message: 'x'.repeat(500_000) })], 'a1')
    const refused = () => Promise.reject(new StorageError('store_failed', 507, 'The disk is full'))
    await expect(closeBatch({ ...results, put: refused }, done(1))).rejects.toMatchObject({
      status: 507,
    })
    expect(await readSummary(results, 'b1')).toBeUndefined()
  })
})

describe('aggregation', () => {
  const planned = 12
  const plan = done(planned)
  const key = (at: number): string => `key-${String(at).padStart(2, '0')}`

  /** One report: what some activation found of some positions, the same whenever it reports. */
  interface Report {
    start: number
    end: number
    activationId: string
  }

  const recordsOfReport = ({ start, end, activationId }: Report): ImageRecord[] =>
    Array.from({ length: end - start }, (_, index) => {
      const at = start + index
      const infer = 10 * at + activationId.charCodeAt(1)
      const changes = {
        activationId,
        timings: { download: 1, decode: 1, infer },
        at: `2026-11-22T08:00:${(infer % 60) + 10}.000Z`,
      }
      return at % 5 === 0 ? errorRecord(key(at), {}, changes) : okRecord(key(at), changes)
    })

  const report = (bucket: Bucket, given: Report, onClosed?: () => Promise<void>) =>
    aggregate(
      {
        batch: 'b1',
        images: recordsOfReport(given),
        part: {
          start: given.start,
          end: given.end,
          chunk: { start: given.start, end: given.end },
          model: 'tiny',
        },
      },
      contextOf(bucket, given.activationId, onClosed),
    )

  const chunks: Report[] = [0, 4, 8].map((start) => ({ start, end: start + 4, activationId: 'a1' }))
  const anyReport: fc.Arbitrary<Report> = fc
    .tuple(fc.nat(planned - 1), fc.integer({ min: 1, max: 5 }), fc.constantFrom('a0', 'a2', 'a3'))
    .map(([start, length, activationId]) => ({ start, end: Math.min(start + length, planned), activationId }))
  const inAnyOrder = <T>(values: T[]): fc.Arbitrary<T[]> =>
    fc.shuffledSubarray(values, { minLength: values.length })

  it('in any order and with repeats leaves the same bytes', async () => {
    const history = fc
      .array(anyReport, { maxLength: 4 })
      .map((extra) => [...chunks, ...extra])
      .chain((reports) =>
        fc.record({
          one: inAnyOrder(reports),
          other: inAnyOrder(reports),
          repeats: fc.array(fc.constantFrom(...reports), { maxLength: 4 }),
        }),
      )
    await fc.assert(
      fc.asyncProperty(history, async ({ one, other, repeats }) => {
        const [first, second] = [await objects.newBucket(), await objects.newBucket()]
        for (const bucket of [first, second]) await savePlan(bucket, plan)
        for (const given of one) await report(first, given)
        for (const given of [...other, ...repeats]) await report(second, given)
        const written = await files(first)
        expect(keysOf(written.results)).toEqual(Array.from({ length: planned }, (_, at) => key(at)))
        expect(await files(second)).toEqual(written)
      }),
      { numRuns: 6 },
    )
  })

  it('of all chunks at once closes the batch, and says so once', async () => {
    await savePlan(results, plan)
    let closings = 0
    const outcomes = await Promise.all(
      chunks.map((given) =>
        report(results, given, async () => {
          closings++
        }),
      ),
    )
    expect(outcomes.filter(({ closed }) => closed)).toHaveLength(1)
    expect(closings).toBe(1)
    expect((await readSummary(results, 'b1'))?.totals).toMatchObject({ ok: 9, error: 3, pending: 0 })
  })
})
