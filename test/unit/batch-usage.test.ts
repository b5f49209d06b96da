import fc from 'fast-check'
import { listParts, writePart } from '../../src/batch/records/parts'
import { toMetadata, type Usage, usageOf } from '../../src/batch/records/usage'
import { aggregate, type Classified } from '../../src/batch/running/aggregate'
import { summaryKey } from '../../src/batch/state/layout'
import type { Bucket } from '../../src/storage/store'
import {
  closeBatch,
  collect,
  contextOf,
  doneBatch,
  okRecord,
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

describe('the metadata of a part', () => {
  const anyUsage: fc.Arbitrary<Usage> = fc.record({
    classifyMs: fc.nat(),
    aggregateMs: fc.nat(),
    container: fc.stringMatching(/^[0-9a-f]{8}$/),
  })

  it('round-trips', () => {
    fc.assert(
      fc.property(anyUsage, (usage) => {
        expect(usageOf(toMetadata(usage))).toEqual(usage)
      }),
    )
  })

  it.each([
    ['nothing', {}],
    ['no container', { 'classify-ms': '1', 'aggregate-ms': '1' }],
    ['half of it', { 'classify-ms': '1', container: 'a' }],
    ['no numbers', { 'classify-ms': 'x', 'aggregate-ms': '1', container: 'a' }],
    ['negative times', { 'classify-ms': '-1', 'aggregate-ms': '1', container: 'a' }],
  ])('that has %s has no usage', (_, metadata: Record<string, string>) => {
    expect(usageOf(metadata)).toBeUndefined()
  })
})

const keys = ['a', 'b', 'c', 'd', 'e', 'f']

const report = (message: Classified, id: string) => {
  const context = contextOf(objects.store, results)
  return aggregate(message, { ...context, activation: { ...context.activation, id } })
}

const instant = (key: string, at: string) =>
  okRecord(key, { at, timings: { download: 0, decode: 0, infer: 0 } })

/** The output of `classify` for two images. */
const piece = (start: number, spent?: Classified['spent']): Classified => ({
  batch: 'b1',
  images: keys.slice(start, start + 2).map((key) => instant(key, '2026-11-22T08:00:12.000Z')),
  part: { start, end: start + 2, chunk: { start: 0, end: 6, epoch: 1 }, model: 'tiny', by: 1 },
  spent,
})

describe('the usage of a batch', () => {
  it('is computed with its memory and price, once it is closed', async () => {
    const memory = { classify: 1024, aggregate: 128 }
    const priced = { model: 'tiny', modelVersion: 'tiny@00c0ffee', memory, gbSecondPrice: 0.5 }
    const batch = doneBatch('photos', 6, { model: priced })
    await report(piece(0, { ms: 4000, container: 'x' }), 'a1')
    await report(piece(2, { ms: 2000, container: 'y' }), 'a2')
    await report(piece(4, { ms: 6000, container: 'x' }), 'a3')
    const aggregateMs = (await usages()).reduce((sum, usage) => sum + (usage?.aggregateMs ?? 0), 0)
    const gbSeconds = 12 + aggregateMs / 8000
    expect(await closeBatch(objects.store, results, batch)).toMatchObject({
      containers: 2,
      gbSeconds: Number(gbSeconds.toPrecision(6)),
      cost: Number((gbSeconds / 2).toPrecision(6)),
      pricePerGbSecond: 0.5,
      imagesPerSecond: 0.5,
    })
  })

  it('excludes activations that report none', async () => {
    await report(piece(0), 'a1')
    await report(piece(2), 'a2')
    await report(piece(4, { ms: 6000, container: 'x' }), 'a3')
    expect(await usages()).toEqual([undefined, undefined, expect.objectContaining({ classifyMs: 6000 })])
    const summary = await closeBatch(objects.store, results, doneBatch('photos', 6))
    expect(summary).toMatchObject({ containers: 1, totals: { ok: 6 } })
  })

  it('has the same bytes whatever the order of parts, and however often each is written', async () => {
    const usage = (start: number): Usage => ({
      classifyMs: 1000 + start,
      aggregateMs: 10 * start,
      container: start < 4 ? 'x' : 'y',
    })
    const summaryAfter = async (starts: number[]) => {
      results = await objects.newBucket()
      for (const start of starts)
        await writePart(results, 'b1', start, piece(start).images, `a${start}`, usage(start))
      await closeBatch(objects.store, results, doneBatch('photos', 6))
      return textOf(results, summaryKey('b1'))
    }
    const expected = await summaryAfter([0, 2, 4])
    expect(expected).toContain('"gbSeconds": 1.518')
    const anyOrder = fc.shuffledSubarray([0, 2, 4], { minLength: 3 })
    const repeats = fc.array(fc.constantFrom(0, 2, 4), { maxLength: 3 })
    await fc.assert(
      fc.asyncProperty(anyOrder, repeats, async (order, again) => {
        expect(await summaryAfter([...order, ...again])).toBe(expected)
      }),
      { numRuns: 15 },
    )
  })
})

/** The usage of the batch’s parts, in order. */
async function usages() {
  const parts = await collect(listParts(results, 'b1'))
  return Promise.all(parts.map(async ({ key }) => usageOf((await results.get(key)).metadata)))
}
