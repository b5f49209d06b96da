import { main } from '../../actions/results'
import { batchMetrics } from '../../src/batch/reports/metrics'
import { batchFolder, summaryKey } from '../../src/batch/state/layout'
import { putEntry } from '../../src/batch/state/open'
import { toOpenMetrics } from '../../src/openmetrics'
import type { BatchSummary } from '../../src/schema'
import type { Bucket } from '../../src/storage/store'
import {
  errorOf,
  recordOf,
  requestOf,
  startStore,
  token,
  type TestStore as WebStore,
  writeClosed,
} from '../helpers/gallery'
import {
  type ParsedFamily,
  parseOpenMetrics,
  readByReference,
  valuesOf,
  withReference,
} from '../helpers/openmetrics'
import { counted, hastyClock, putSummary, startTestStore, type TestStore } from './batch-fixtures'
import { newRunner } from './batch-runner'
import { summaryOf } from './cli-run'

const now = Date.parse('2026-11-29T10:00:00Z')

let objects: TestStore
let results: Bucket
beforeAll(async () => {
  objects = await startTestStore()
})
afterAll(() => objects.close())
beforeEach(async () => {
  results = await objects.newBucket()
})

const scrape = async (at = now, bucket = results): Promise<ParsedFamily[]> =>
  parseOpenMetrics(toOpenMetrics(await batchMetrics(bucket, at)))

const someTotals = { listed: 9, planned: 7, skipped: 2, ok: 4, error: 3, pending: 0 }

const idsIn = (families: ParsedFamily[]) =>
  families.find(({ name }) => name === 'whisklens_batch_throttles')?.samples.map(({ labels }) => labels.batch)

describe('metrics of batches', () => {
  it('report the summary of an ended batch', async () => {
    const totals = someTotals
    const stages = { download: 10, decode: 5, infer: 40 }
    const changes: Partial<BatchSummary> = {
      totals,
      errors: { image_corrupt: 2, lost: 1 },
      timings: { p50: stages, p95: { ...stages, infer: 90 } },
      containers: 3,
      throttles: 5,
    }
    await putSummary(results, summaryOf('20261129-093000-aaaaaa', changes))
    const families = await scrape()
    const b = '20261129-093000-aaaaaa'
    expect(valuesOf(families, 'whisklens_batch_state')).toMatchObject({
      [`${b} complete`]: 1,
      [`${b} running`]: 0,
    })
    expect(valuesOf(families, 'whisklens_batch_images')).toEqual({
      [`${b} ok`]: 4,
      [`${b} error`]: 3,
      [`${b} pending`]: 0,
      [`${b} skipped`]: 2,
    })
    expect(valuesOf(families, 'whisklens_batch_errors')).toEqual({
      [`${b} image_corrupt`]: 2,
      [`${b} lost`]: 1,
    })
    expect(valuesOf(families, 'whisklens_batch_image_seconds')).toMatchObject({
      [`${b} download 0.5`]: 0.01,
      [`${b} infer 0.5`]: 0.04,
      [`${b} infer 0.95`]: 0.09,
    })
    expect(valuesOf(families, 'whisklens_batch_containers')).toEqual({ [b]: 3 })
    expect(valuesOf(families, 'whisklens_batch_throttles')).toEqual({ [b]: 5 })
  })

  withReference.it("are read by Prometheus' own parser", async () => {
    await putSummary(
      results,
      summaryOf('20261129-093000-aaaaaa', { errors: { lost: 1 }, totals: someTotals }),
    )
    await putEntry(results, 'spring', 1)
    const text = toOpenMetrics(await batchMetrics(results, now))
    const names = parseOpenMetrics(text).map(({ name }) => name)
    expect(readByReference(text).map(([name]) => name)).toEqual(names)
  })

  it('report the number of open batches and their age', async () => {
    expect(valuesOf(await scrape(), 'whisklens_open_batches')).toEqual({ fired: 0, uploads: 0 })
    expect(valuesOf(await scrape(), 'whisklens_oldest_open_batch_age_seconds')).toEqual({
      fired: 0,
      uploads: 0,
    })
    for (const id of ['a', 'b', 'uploads-2026-11-29']) await putEntry(results, id, 1)
    const families = await scrape(Date.now() + 60_000)
    expect(valuesOf(families, 'whisklens_open_batches')).toEqual({ fired: 2, uploads: 1 })
    const { fired } = valuesOf(families, 'whisklens_oldest_open_batch_age_seconds')
    expect(fired).toBeGreaterThanOrEqual(60)
    expect(fired).toBeLessThan(600)
  })

  it('cover open batches first, then days of uploads, then the newest ended ones', async () => {
    const put = (id: string) => putSummary(results, summaryOf(id))
    for (const id of ['spring', 'summer', 'uploads-2026-11-29', 'uploads-2026-11-20']) await put(id)
    for (const id of ['20261129-000000-aaaaaa', '20261128-000000-aaaaaa', '20261127-000000-aaaaaa'])
      await put(id)
    await putEntry(results, 'spring', 1)
    expect(idsIn(await scrape())).toEqual([
      'spring',
      'uploads-2026-11-29',
      '20261129-000000-aaaaaa',
      '20261128-000000-aaaaaa',
    ])
  })

  it('take the same number of requests and lines for any number of batches', async () => {
    const ids = (count: number, date: string) =>
      Array.from({ length: count }, (_, n) => `${date}-${String(n).padStart(6, '0')}-aaaaaa`)
    const old = [
      ...ids(2_500, '20250101'),
      ...ids(400, '20261129'),
      ...Array.from({ length: 400 }, (_, n) => `x${n}`),
    ]
    const summary = summaryOf('b')
    for (const batch of old) await results.put(summaryKey(batch), JSON.stringify({ ...summary, batch }))
    for (let n = 0; n < 100; n++) await putEntry(results, `x${n}`, 1)
    const { bucket, requests } = counted(results)
    const families = await scrape(now, bucket)
    expect(idsIn(families)).toHaveLength(24)
    // Two listings, and a summary each.
    expect(requests.length).toBeLessThanOrEqual(26)
    expect(toOpenMetrics(await batchMetrics(results, now)).split('\n').length).toBeLessThan(24 * 30)
    expect(requests.every(({ key }) => !key.startsWith(batchFolder('20250101')))).toBe(true)
  })

  it('count refusals of the platform', async () => {
    const runner = await newRunner(objects)
    runner.clock = hastyClock()
    await runner.photos.put('a.jpg', 'x')
    const { invoke } = runner.openwhisk
    let refusals = 2
    runner.openwhisk.invoke = async (name, params) => {
      const { OpenWhiskError } = jest.requireActual('../../src/errors')
      if (name.endsWith('/classify-images') && refusals-- > 0)
        throw new OpenWhiskError(429, 'Too many concurrent requests', { retryable: true })
      return invoke(name, params)
    }
    expect(await runner.start({ batch: 'b1' })).toMatchObject({ state: 'complete', throttles: 2 })
  })
})

describe('the metrics endpoint', () => {
  let store: WebStore
  beforeAll(async () => {
    store = await startStore()
    await writeClosed(store, 'photos', [recordOf('a', 'espresso', 0.9), errorOf('b', 'image_corrupt', 'x')])
    await putEntry(store.results, 'photos', 1)
  })
  afterAll(() => store.close())

  it.each([
    [{ format: 'openmetrics' }, '*/*'],
    // The header of Prometheus.
    [
      {},
      'application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1',
    ],
  ])('responds to %j with the accept header %s', async (query, accept) => {
    const headers = { authorization: `Bearer ${token}`, accept }
    const {
      statusCode,
      headers: answered,
      body,
    } = await main(requestOf(store.settings, query as never, { headers }))
    expect([statusCode, answered['content-type']]).toEqual([
      200,
      'application/openmetrics-text; version=1.0.0; charset=utf-8',
    ])
    const families = parseOpenMetrics(String(body))
    expect(valuesOf(families, 'whisklens_batch_images')).toMatchObject({ 'photos ok': 1, 'photos error': 1 })
    expect(valuesOf(families, 'whisklens_batch_errors')).toEqual({ 'photos image_corrupt': 1 })
  })

  it('requires the token', async () => {
    const answer = await main(requestOf(store.settings, { format: 'openmetrics' }, { headers: {} }))
    expect(answer.statusCode).toBe(401)
  })
})
