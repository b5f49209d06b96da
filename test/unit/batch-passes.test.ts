import fc from 'fast-check'
import { writePart } from '../../src/batch/chunk/parts'
import { openPasses, type PassesOptions, recordsOfBatch } from '../../src/batch/close/passes'
import { toJsonLines } from '../../src/batch/json-lines'
import { recordKey, removedKey } from '../../src/batch/layout'
import type { Plan } from '../../src/batch/plan/plan'
import type { Usage } from '../../src/batch/summary/usage'
import type { ImageRecord } from '../../src/schema'
import type { Bucket } from '../../src/storage/store'
import {
  collect,
  counted,
  errorRecord,
  inBytes,
  model,
  okRecord,
  planOf,
  startTestStore,
  type TestStore,
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

const done = (passes: number[], planned: number, changes: Partial<Plan> = {}): Plan =>
  planOf('photos', {}, { passes, planned, next: planned, done: true, cursor: 'z', ...changes })

const remove = (batch: string, pass: number, n: number, keys: string[]) =>
  results.put(removedKey(batch, pass, n), toJsonLines(keys.map((key) => ({ key }))))

const outcomes = async (plan: Plan, options: PassesOptions = {}) =>
  (await collect((await openPasses(results, plan, options)).outcomes())).flatMap(({ record }) =>
    record ? [record] : [],
  )
const keysOf = (records: ImageRecord[]): string[] => records.map(({ key }) => key)

describe('the passes of a batch', () => {
  it('leave each image once, of its latest pass, in the order of the keys', async () => {
    await writePart(results, 'b1', 0, [okRecord('a'), okRecord('b'), okRecord('～')], 'a1')
    await writePart(results, 'b1', 3, [okRecord('aa', { etag: 'v2' }), okRecord('b', { etag: 'v2' })], 'a2')
    await writePart(results, 'b1', 5, [okRecord('b', { etag: 'v3' }), okRecord('😀', { etag: 'v3' })], 'a3')
    const records = await collect(recordsOfBatch(results, done([0, 3, 5], 7)))
    expect(records.map(({ key, etag }) => [key, etag])).toEqual([
      ['a', 'v1'],
      ['aa', 'v2'],
      ['b', 'v3'],
      ['～', 'v1'],
      ['😀', 'v3'],
    ])
  })

  it('leave what the first one had when the others found nothing to do', async () => {
    await writePart(results, 'b1', 0, [okRecord('a'), okRecord('b')], 'a1')
    expect(keysOf(await collect(recordsOfBatch(results, done([0, 2, 2], 2))))).toEqual(['a', 'b'])
  })

  it('are read ahead, all of them together no further than a single one', async () => {
    for (const at of Array(20).keys()) await writePart(results, 'b1', at, [okRecord(`a${at}`)], 'a1')
    for (const [passes, most] of [
      [[0], 9],
      [[0, 10], 10],
    ] as const) {
      const { bucket, requests } = counted(results)
      for await (const _ of recordsOfBatch(bucket, done([...passes], 20))) break
      expect(requests.filter(({ method }) => method === 'get').length).toBeLessThanOrEqual(most)
    }
  })

  interface Pass {
    images: Record<string, 'ok' | 'error' | 'passing'>
    removed: string[]
    swept: boolean
  }

  const names = ['a', 'a/b', 'a b', 'ä', 'b', '～', '😀'] as const
  const anyPass: fc.Arbitrary<Pass> = fc.record({
    images: fc.dictionary(fc.constantFrom(...names), fc.constantFrom('ok', 'error', 'passing')),
    removed: fc.subarray([...names]),
    swept: fc.boolean(),
  })

  const recordOf = (key: string, kind: Pass['images'][string], pass: number): ImageRecord => {
    if (kind === 'ok') return okRecord(key, { size: pass })
    return errorRecord(key, { retryable: kind === 'passing' }, { size: pass })
  }

  /** What should be left, image by image. */
  function naive(passes: Pass[], known: string[], complete: boolean): [string, number][] {
    const left = [...names].sort(inBytes).flatMap((name): [string, number][] => {
      const newest = passes.findLastIndex(({ images }) => images[name])
      if (newest === -1) return []
      const later = passes.slice(newest + 1)
      const wasSeenGone = later.some(({ removed }) => removed.includes(name))
      const wasUnseen =
        passes[newest]?.images[name] === 'passing' &&
        !known.includes(name) &&
        later.some(({ swept }, index) => swept && (complete || newest + 1 + index < passes.length - 1))
      return wasSeenGone || wasUnseen ? [] : [[name, newest]]
    })
    return left
  }

  it('leave what a naive merge does, read at once or with any interruption, for any history', async () => {
    let run = 0
    await fc.assert(
      fc.asyncProperty(
        fc.array(anyPass, { minLength: 1, maxLength: 4 }),
        fc.subarray([...names]),
        fc.boolean(),
        fc.integer({ min: 1, max: 3 }),
        async (passes, known, complete, chunk) => {
          results = await objects.newBucket()
          const batch = `any-${++run}`
          const starts: number[] = []
          const usages: Usage[] = []
          let planned = 0
          for (const [pass, { images, removed }] of passes.entries()) {
            starts.push(planned)
            const keys = Object.keys(images).sort(inBytes)
            for (let at = 0; at < keys.length; at += chunk) {
              const records = keys
                .slice(at, at + chunk)
                .map((key) => recordOf(key, images[key] ?? 'ok', pass))
              usages.push({ classifyMs: planned + at, aggregateMs: 1, container: 'c1' })
              await writePart(results, batch, planned + at, records, 'a1', usages.at(-1))
            }
            planned += keys.length
            const gone = [...removed].sort(inBytes)
            await remove(batch, pass, 0, gone.slice(0, 2))
            await remove(batch, pass, 1, gone.slice(2))
          }
          for (const key of known) await results.put(recordKey(model, { bucket: 'photos', key }), '{}')
          const swept = passes.flatMap((pass, index) => (pass.swept ? [index] : []))
          const plan = done(starts, planned, { batch, swept })
          const expected = naive(passes, known, complete)

          const counts: Usage[] = []
          const onUsage = (usage: Usage) => void counts.push(usage)
          const sizes = (records: ImageRecord[]) => records.map(({ key, size }) => [key, size])
          expect(sizes(await outcomes(plan, { complete, onUsage }))).toEqual(expected)
          expect(counts.sort((a, b) => a.classifyMs - b.classifyMs)).toEqual(usages)

          for (let stop = 0; stop <= names.length; stop++) {
            counts.length = 0
            const reading = await openPasses(results, plan, { complete, onUsage })
            const records: ImageRecord[] = []
            const upTo = reading.outcomes()
            for (let step = 0; step < stop; step++) {
              const { value } = await upTo.next()
              if (value?.record) records.push(value.record)
            }
            const from = structuredClone(reading.position())
            const rest = await openPasses(results, plan, { complete, onUsage, from })
            for await (const { record } of rest.outcomes()) if (record) records.push(record)
            expect(sizes(records)).toEqual(expected)
            expect(rest.position().reported).toBe(planned)
            expect(counts.sort((a, b) => a.classifyMs - b.classifyMs)).toEqual(usages)
          }
        },
      ),
      { numRuns: 25 },
    )
  })
})

describe('an image that is gone', () => {
  const passing = { retryable: true }

  it('has no record of the passes before it was found gone, and keeps later ones', async () => {
    await writePart(results, 'b1', 0, [okRecord('a'), okRecord('b'), okRecord('c')], 'a1')
    await writePart(results, 'b1', 3, [okRecord('b')], 'a1')
    await remove('b1', 1, 0, ['a', 'b'])
    expect(keysOf(await outcomes(done([0, 3], 4)))).toEqual(['b', 'c'])
  })

  it('is told from one that failed, is there, and was classified by somebody else', async () => {
    await writePart(results, 'b1', 0, [errorRecord('a', passing), errorRecord('b', passing)], 'a1')
    await results.put(recordKey(model, { bucket: 'photos', key: 'b' }), '{}')
    expect(keysOf(await outcomes(done([0, 2], 2, { swept: [0, 1] }), { complete: true }))).toEqual(['b'])
  })

  it('is not given up before all of the pass that missed it has reported', async () => {
    await writePart(results, 'b1', 0, [errorRecord('a', passing)], 'a1')
    expect(keysOf(await outcomes(done([0, 1], 2, { swept: [0, 1] })))).toEqual(['a'])
  })

  it('may have been unreadable for it: no record was kept of that either', async () => {
    await writePart(
      results,
      'b1',
      0,
      [errorRecord('a', { code: 'object_not_found' }), errorRecord('b')],
      'a1',
    )
    expect(keysOf(await outcomes(done([0, 2], 2, { swept: [1] }), { complete: true }))).toEqual(['b'])
  })
})
