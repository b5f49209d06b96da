import fc from 'fast-check'
import { addUsage, type Usage } from '../../src/batch/records/usage'
import { count, emptyTally, type SummaryFacts, summarize } from '../../src/batch/reports/summary'
import { openSummary, readSummary } from '../../src/batch/reports/summary-object'
import { summaryKey } from '../../src/batch/state/layout'
import { type ImageRecord, summarySchema } from '../../src/schema'
import type { Bucket } from '../../src/storage/store'
import { counted, errorRecord, okRecord, startTestStore, type TestStore, tabby } from './batch-fixtures'

const facts: SummaryFacts = {
  batch: 'b1',
  state: 'complete',
  listed: 10,
  planned: 4,
  skipped: 6,
  exact: true,
  startedAt: '2026-11-22T08:00:00.000Z',
}

const summaryOf = (records: ImageRecord[], changes: Partial<SummaryFacts> = {}, usages: Usage[] = []) => {
  const tally = emptyTally()
  for (const record of records) count(tally, record)
  for (const usage of usages) addUsage(tally.usage, usage)
  return summarize(tally, { ...facts, ...changes })
}

const unknownTimings = { download: 0, decode: 0, infer: 0 }

const labelled = (label: string): ImageRecord => okRecord(label, { labels: [{ ...tabby, label }] })

const anyRecord: fc.Arbitrary<ImageRecord> = fc
  .record({
    failed: fc.boolean(),
    label: fc.constantFrom('tabby', 'espresso', 'constructor', '__proto__', '42'),
    code: fc.constantFrom('image_corrupt', 'lost', 'toString'),
    infer: fc.nat(5000),
    minute: fc.integer({ min: 10, max: 59 }),
    engine: fc.constantFrom('wasm', 'tfjs-node', 'none'),
  })
  .map(({ failed, label, code, infer, minute, engine }) => {
    const changes = { engine, at: `2026-11-22T08:${minute}:00.000Z` }
    if (failed) return errorRecord('a', { code }, changes)
    const timings = { download: 1, decode: 1, infer }
    return okRecord('a', { ...changes, labels: [{ ...tabby, label }], timings })
  })

const anyUsage: fc.Arbitrary<Usage> = fc.record({
  classifyMs: fc.double({ min: 0, max: 300_000, noNaN: true }),
  aggregateMs: fc.double({ min: 0, max: 120_000, noNaN: true }),
  container: fc.constantFrom('0a1b2c3d', 'ffffffff', 'constructor'),
})

/** The same values in any other order. */
function shuffle<T>(values: T[], order: fc.Stream<number>): T[] {
  const placed = values.map((value) => ({ value, place: order.next().value ?? 0 }))
  return placed.sort((a, b) => a.place - b.place).map(({ value }) => value)
}

describe('the summary of a batch', () => {
  it('is valid by its own schema, whatever was counted', () => {
    fc.assert(
      fc.property(fc.array(anyRecord), fc.array(anyUsage), (records, usages) => {
        const summary = summaryOf(records, {}, usages)
        expect(summarySchema.parse(JSON.parse(JSON.stringify(summary)))).toEqual(summary)
      }),
    )
  })

  it('does not depend on the order of records or of usage', () => {
    fc.assert(
      fc.property(
        fc.array(anyRecord, { maxLength: 30 }),
        fc.array(anyUsage, { maxLength: 10 }),
        fc.infiniteStream(fc.nat()),
        (records, usages, order) => {
          const shuffled = summaryOf(shuffle(records, order), {}, shuffle(usages, order))
          expect(JSON.stringify(shuffled)).toBe(JSON.stringify(summaryOf(records, {}, usages)))
        },
      ),
    )
  })

  it('can be stored between counts and resumed', () => {
    fc.assert(
      fc.property(fc.array(anyRecord), fc.array(anyUsage), fc.nat(), (records, usages, at) => {
        const tally = emptyTally()
        for (const record of records) count(tally, record)
        for (const usage of usages.slice(0, at)) addUsage(tally.usage, usage)
        const stored = JSON.parse(JSON.stringify(tally))
        for (const usage of usages.slice(at)) addUsage(stored.usage, usage)
        expect(summarize(stored, facts)).toEqual(summaryOf(records, {}, usages))
      }),
    )
  })

  it('counts every record once', () => {
    fc.assert(
      fc.property(fc.array(anyRecord), (records) => {
        const { totals, labels, errors } = summaryOf(records)
        expect(totals.ok + totals.error).toBe(records.length)
        expect(labels.reduce((sum, { count: number }) => sum + number, 0)).toBe(totals.ok)
        expect(Object.values(errors).reduce((sum, number) => sum + number, 0)).toBe(totals.error)
      }),
    )
  })

  it('sorts labels by frequency, then by name', () => {
    const summary = summaryOf(['b', 'c', 'a', 'c'].map(labelled))
    expect(summary.labels).toEqual([
      { label: 'c', count: 2 },
      { label: 'a', count: 1 },
      { label: 'b', count: 1 },
    ])
  })

  it('reports what is pending, never below zero', () => {
    expect(summaryOf([okRecord('a'), errorRecord('b')]).totals).toEqual({
      listed: 10,
      planned: 4,
      skipped: 6,
      ok: 1,
      error: 1,
      pending: 2,
    })
    expect(summaryOf([okRecord('a')], { planned: 0 }).totals.pending).toBe(0)
  })

  it('ends with the newest record, not at the time of closing', () => {
    const at = (time: string) => okRecord('a', { at: `2026-11-22T${time}.000Z` })
    expect(summaryOf([at('08:02:00'), at('08:05:00'), at('08:03:00')])).toMatchObject({
      startedAt: '2026-11-22T08:00:00.000Z',
      endedAt: '2026-11-22T08:05:00.000Z',
    })
    expect(summaryOf([]).endedAt).toBe(facts.startedAt)
    expect(summaryOf([at('08:02:00')], { state: 'running' }).endedAt).toBeNull()
  })

  it('does not end earlier because of another record', () => {
    fc.assert(
      fc.property(fc.array(anyRecord), anyRecord, (records, more) => {
        const ends = [records, [...records, more]].map((all) => Date.parse(summaryOf(all).endedAt ?? ''))
        expect(ends[1]).toBeGreaterThanOrEqual(ends[0] ?? Number.NaN)
      }),
    )
  })

  it('measures images per second until the last was done, which need not be the newest', () => {
    const done = (time: string, infer: number) =>
      okRecord('a', { at: `2026-11-22T08:00:${time}.000Z`, timings: { download: 300, decode: 200, infer } })
    expect(summaryOf([done('01', 4500), done('04', 100), errorRecord('b')]).imagesPerSecond).toBe(0.5)
  })

  it('has no rate without a duration', () => {
    const instant = errorRecord('a', {}, { at: facts.startedAt, timings: unknownTimings })
    for (const records of [[], [instant]]) expect(summaryOf(records).imagesPerSecond).toBe(0)
  })

  it('computes GB-seconds, containers and cost', () => {
    const usages = [
      { classifyMs: 4000, aggregateMs: 2000, container: 'a' },
      { classifyMs: 2000, aggregateMs: 1000, container: 'b' },
      { classifyMs: 2000, aggregateMs: 1000, container: 'a' },
    ]
    const changes = { memory: { classify: 1024, aggregate: 512 }, gbSecondPrice: 0.5 }
    expect(summaryOf([], changes, usages)).toMatchObject({
      containers: 2,
      gbSeconds: 10,
      cost: 5,
      pricePerGbSecond: 0.5,
    })
    // 8 s at 512 MB and 4 s at 256 MB, unless the batch knows better.
    expect(summaryOf([], {}, usages)).toMatchObject({
      gbSeconds: 5,
      cost: 0.000085,
      pricePerGbSecond: 0.000017,
    })
  })

  it('of an older version without usage can be read', () => {
    const { imagesPerSecond, containers, gbSeconds, cost, pricePerGbSecond, ...older } = summaryOf([])
    expect(summarySchema.parse(older)).toEqual({
      ...older,
      imagesPerSecond: 0,
      containers: 0,
      gbSeconds: 0,
      cost: 0,
      pricePerGbSecond: 0,
    })
  })

  it('has timings of classified images only', () => {
    const slow = errorRecord('b', {}, { timings: { download: 90_000, decode: 0, infer: 0 } })
    expect(summaryOf([okRecord('a'), slow]).timings.p95.download).toBeLessThan(5)
  })
})

describe('summary.json', () => {
  let objects: TestStore
  let results: Bucket

  beforeAll(async () => {
    objects = await startTestStore()
  })
  afterAll(() => objects.close())
  beforeEach(async () => {
    results = await objects.newBucket()
  })

  it('does not exist before it is written', async () => {
    expect(await readSummary(results, 'b1')).toBeUndefined()
  })

  it('round-trips, and is not written again when unchanged', async () => {
    const summary = summaryOf([okRecord('a')])
    const writer = openSummary(results, 'b1', async () => {})
    await writer.write(summary)
    expect(await readSummary(results, 'b1')).toEqual(summary)
    const { bucket, requests } = counted(results)
    await openSummary(bucket, 'b1', async () => {}).write(summary)
    expect(requests.map(({ method }) => method)).toEqual(['find'])
  })

  it('is not overwritten by a former lease holder', async () => {
    let isHolder = true
    const former = openSummary(results, 'b1', async () => {
      if (!isHolder) throw new Error('taken over')
    })
    await former.write(summaryOf([], { state: 'running' }))
    isHolder = false
    const complete = summaryOf([okRecord('a')])
    await openSummary(results, 'b1', async () => {}).write(complete)
    await expect(former.write(summaryOf([], { state: 'running', listed: 7 }))).rejects.toThrow('taken over')
    expect(await readSummary(results, 'b1')).toEqual(complete)
  })

  it('is overwritten by the lease holder, even after another writer', async () => {
    const holder = openSummary(results, 'b1', async () => {})
    await holder.write(summaryOf([], { state: 'running' }))
    await results.put(summaryKey('b1'), '{}')
    await holder.write(summaryOf([okRecord('a')]))
    expect(await readSummary(results, 'b1')).toEqual(summaryOf([okRecord('a')]))
  })
})
