import fc from 'fast-check'
import { count, emptyTally, type Standing, summarize } from '../../src/batch/summary'
import { readSummary, writeSummary } from '../../src/batch/summary-object'
import { type ImageRecord, summarySchema } from '../../src/schema'
import type { Bucket } from '../../src/storage/store'
import { errorRecord, okRecord, startTestStore, type TestStore, tabby } from './batch-fixtures'

const standing: Standing = {
  batch: 'b1',
  state: 'complete',
  listed: 10,
  planned: 4,
  skipped: 6,
  exact: true,
  startedAt: '2026-11-22T08:00:00.000Z',
}

const summaryOf = (records: ImageRecord[], changes: Partial<Standing> = {}) => {
  const tally = emptyTally()
  for (const record of records) count(tally, record)
  return summarize(tally, { ...standing, ...changes })
}

const labelled = (label: string): ImageRecord => okRecord(label, { labels: [{ ...tabby, label }] })

const anyRecord: fc.Arbitrary<ImageRecord> = fc
  .record({
    failed: fc.boolean(),
    label: fc.constantFrom('tabby', 'espresso', 'constructor', '42'),
    code: fc.constantFrom('image_corrupt', 'lost', 'toString'),
    infer: fc.nat(5000),
    minute: fc.integer({ min: 10, max: 59 }),
    engine: fc.constantFrom('wasm', 'native', 'none'),
  })
  .map(({ failed, label, code, infer, minute, engine }) => {
    const changes = { engine, at: `2026-11-22T08:${minute}:00.000Z` }
    if (failed) return errorRecord('a', { code }, changes)
    const timings = { download: 1, decode: 1, infer }
    return okRecord('a', { ...changes, labels: [{ ...tabby, label }], timings })
  })

describe('the summary of a batch', () => {
  it('is valid by its own schema, whatever was counted', () => {
    fc.assert(
      fc.property(fc.array(anyRecord), (records) => {
        const summary = summaryOf(records)
        expect(summarySchema.parse(JSON.parse(JSON.stringify(summary)))).toEqual(summary)
      }),
    )
  })

  it('does not depend on the order of the records', () => {
    fc.assert(
      fc.property(fc.array(anyRecord, { maxLength: 30 }), fc.infiniteStream(fc.nat()), (records, order) => {
        const shuffled = records
          .map((record) => ({ record, place: order.next().value ?? 0 }))
          .sort((a, b) => a.place - b.place)
          .map(({ record }) => record)
        expect(JSON.stringify(summaryOf(shuffled))).toBe(JSON.stringify(summaryOf(records)))
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

  it('names the most frequent label first, and equally frequent ones by name', () => {
    const summary = summaryOf(['b', 'c', 'a', 'c'].map(labelled))
    expect(summary.labels).toEqual([
      { label: 'c', count: 2 },
      { label: 'a', count: 1 },
      { label: 'b', count: 1 },
    ])
  })

  it('says what is pending, and never less than nothing', () => {
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

  it('ends with the newest record, not when somebody closed it', () => {
    const at = (time: string) => okRecord('a', { at: `2026-11-22T${time}.000Z` })
    expect(summaryOf([at('08:02:00'), at('08:05:00'), at('08:03:00')])).toMatchObject({
      startedAt: '2026-11-22T08:00:00.000Z',
      endedAt: '2026-11-22T08:05:00.000Z',
    })
    expect(summaryOf([]).endedAt).toBe(standing.startedAt)
    expect(summaryOf([at('08:02:00')], { state: 'running' }).endedAt).toBeNull()
  })

  it('times only what was classified', () => {
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

  it('is not there before it is written', async () => {
    expect(await readSummary(results, 'b1')).toBeUndefined()
  })

  it('reads back as it was written', async () => {
    const summary = summaryOf([okRecord('a')])
    expect(await writeSummary(results, summary)).toBe(true)
    expect(await readSummary(results, 'b1')).toEqual(summary)
  })

  it('tells whoever writes the same once more that it was there', async () => {
    const summary = summaryOf([okRecord('a')])
    await writeSummary(results, summary)
    expect(await writeSummary(results, summary)).toBe(false)
  })

  it('is the first of one only, when many write the same at once', async () => {
    const summary = summaryOf([okRecord('a')])
    const firsts = await Promise.all(Array.from({ length: 8 }, () => writeSummary(results, summary)))
    expect(firsts.filter((first) => first)).toHaveLength(1)
  })

  it('stays when it must not be replaced, also in a race', async () => {
    const complete = summaryOf([okRecord('a')])
    const progress = Array.from({ length: 8 }, (_, listed) =>
      summaryOf([], { state: 'running', listed: listed }),
    )
    const unlessComplete = ({ state }: { state: string }) => state !== 'complete'
    await Promise.all([
      ...progress.map((summary) => writeSummary(results, summary, unlessComplete)),
      writeSummary(results, complete),
    ])
    expect(await readSummary(results, 'b1')).toEqual(complete)
    expect(await writeSummary(results, summaryOf([], { state: 'running' }), unlessComplete)).toBe(false)
  })
})
