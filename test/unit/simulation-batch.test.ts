import { complaints, type Growth } from '../../bench/scale/growth'
import { openRunner, type Runner, usual } from '../../bench/scale/runner'
import { table, time } from '../../bench/scale/table'
import { sumOf } from '../../bench/simulation/meter'
import type { BatchReport } from '../../bench/simulation/simulate'

const megabyte = 1024 * 1024

describe('a simulated batch', () => {
  let runner: Runner
  beforeAll(async () => {
    runner = await openRunner()
  })
  afterAll(() => runner.close())

  it('does each of 20,000 images once, and nothing when it is fired again', async () => {
    const found = await runner.run({ ...usual, images: 20_000, again: true })
    const [first, again] = found.batches
    // That results.jsonl has each image once, in order, the simulation has checked itself.
    expect(first?.totals).toMatchObject({ planned: 20_000, ok: 19_980, error: 20, pending: 0 })
    expect(sumOf(first?.requests ?? {}, { area: 'images', kind: 'GET' })).toBe(20_000)
    expect(sumOf(first?.requests ?? {}, { area: 'records', kind: 'PUT' })).toBe(20_000)
    expect(again?.totals).toMatchObject({ planned: 0, skipped: 20_000 })
    expect(again?.requests).toMatchObject({ images: { LIST: 20 }, records: { LIST: 20 } })
    expect(complaints([{ images: 20_000, ...found }])).toEqual([])
    expect(found.peak).toBeLessThan(256 * megabyte)
  })

  it('has what does not fit into one answer dispatched again', async () => {
    const { batches } = await runner.run({ ...usual, images: 10_000, chunkSize: 1000 })
    expect(batches[0]?.requests.chunks?.PUT).toBe(10)
    expect(batches[0]?.activations.aggregate).toBe(20)
    expect(batches[0]?.requests.images?.GET).toBe(10_000)
  })

  it('waits out a small quota, and hands over although it is used up', async () => {
    const limits = { invocationsPerMinute: 10, concurrentInvocations: 4, firesPerMinute: 10 }
    const { batches } = await runner.run({ ...usual, limits, images: 2000, chunkSize: 25 })
    expect(batches[0]?.activations['start-batch']).toBeGreaterThan(1)
    expect(batches[0]?.throttled).toBeGreaterThan(0)
    expect(batches[0]?.failures).toEqual({})
    expect(batches[0]?.requests.images?.GET).toBe(2000)
  })

  it('is given up when there is no time left', async () => {
    const { batches } = await runner.run({ ...usual, images: 5000, within: 10_000 })
    expect(batches[0]?.duration).toBeUndefined()
    expect(batches[0]?.totals.pending).toBeGreaterThan(0)
  })
})

describe('what a batch needs grows', () => {
  const batch = (changes: Partial<BatchReport>): BatchReport => ({
    duration: 1,
    totals: { listed: 0, planned: 0, skipped: 0, ok: 0, error: 0, pending: 0 },
    requests: {},
    activations: {},
    throttled: 0,
    lookups: 0,
    failures: {},
    ...changes,
  })
  const growth = (images: number, changes: Partial<BatchReport>, peak = megabyte): Growth => ({
    images,
    peak,
    seconds: 1,
    batches: [batch(changes), batch({})],
  })
  const gets = (images: number, count: number) => growth(images, { requests: { records: { GET: count } } })

  it('as it does', () => {
    expect(complaints([gets(1000, 9000), gets(10_000, 20_000), gets(100_000, 209_000)])).toEqual([])
  })

  it('faster than it does', () => {
    expect(complaints([gets(10_000, 20_000), gets(100_000, 220_000)])).toEqual([
      '100000 images: 2200.0 requests per 1,000 images, up from 2000.0',
    ])
    const activations = (images: number, count: number) =>
      growth(images, { activations: { classify: count / 2, aggregate: count / 2 } })
    expect(complaints([activations(10_000, 100), activations(100_000, 1000)])).toEqual([])
    expect(complaints([activations(10_000, 100), activations(100_000, 1200)])).toHaveLength(1)
  })

  it('past what an action is given', () => {
    expect(complaints([growth(1000, {}, 257 * megabyte)])).toEqual(['1000 images: 257 MB of memory'])
  })

  it('with failures', () => {
    expect(complaints([growth(1000, { failures: { 'classify: no': 2 } })])).toEqual([
      '1000 images: classify: no',
    ])
  })
})

describe('tables', () => {
  it('are Markdown', () => {
    expect(
      table([
        ['a', 'long'],
        ['1,000', 2],
      ]),
    ).toBe('|     a | long |\n| ----: | ---: |\n| 1,000 |    2 |\n')
  })

  it('show times', () => {
    expect([0, 59_600, 3_661_000].map(time)).toEqual(['00:00:00', '00:01:00', '01:01:01'])
  })
})
