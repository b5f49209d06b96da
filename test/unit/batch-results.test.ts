import fc from 'fast-check'
import { toJsonLines } from '../../src/batch/records/json-lines'
import { comparePositions } from '../../src/batch/records/keys'
import { writePart } from '../../src/batch/records/parts'
import { newestBatches } from '../../src/batch/reports/newest'
import { progressOf } from '../../src/batch/reports/progress'
import { matches, querySchema } from '../../src/batch/reports/query'
import { listBatches, type Position, readResults, readResultsAfter } from '../../src/batch/reports/results'
import { resultsKey, summaryKey } from '../../src/batch/state/layout'
import { writeArrival } from '../../src/batch/uploads/arrivals'
import type { ImageRecord } from '../../src/schema'
import type { Bucket } from '../../src/storage/store'
import { cursorSchema, toCursor } from '../../src/web/results/cursor'
import { type PageRequest, takePage } from '../../src/web/results/page'
import {
  anyKey,
  anyKeys,
  batchOf,
  closeBatch,
  collect,
  counted,
  doneBatch,
  errorRecord,
  inBytes,
  okRecord,
  putSummary,
  saveBatch,
  startTestStore,
  type TestStore,
  tabby,
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

const read = async (batch: string): Promise<[key: string, etag: string | null][]> =>
  (await collect(readResults(results, batch))).map(({ key, etag }) => [key, etag])

const planned = (count: number, changes: Parameters<typeof doneBatch>[2] = {}) =>
  doneBatch('photos', count, changes)

describe('the results of a batch', () => {
  it('are those reported so far while it is open', async () => {
    const plan = planned(4)
    await saveBatch(results, plan)
    await putSummary(results, progressOf(plan))
    expect(await read('b1')).toEqual([])
    await writePart(results, 'b1', 2, [okRecord('c'), okRecord('d')], 'a1')
    await writePart(results, 'b1', 0, [okRecord('a')], 'a1')
    expect((await read('b1')).map(([key]) => key)).toEqual(['a', 'c', 'd'])
  })

  it('are read from one file once it is closed', async () => {
    const records = [okRecord('a\u2028😀'), errorRecord('b')]
    await writePart(results, 'b1', 0, records, 'a1')
    await closeBatch(objects.store, results, planned(2))
    const { bucket, requests } = counted(results)
    expect(await collect(readResults(bucket, 'b1'))).toEqual(records)
    expect(requests.filter(({ key }) => key.includes('parts'))).toEqual([])
  })

  it('are merged with the previous ones when it was fired again', async () => {
    await writePart(results, 'b1', 0, [okRecord('a'), okRecord('b')], 'a1')
    await closeBatch(objects.store, results, planned(2))
    const again = planned(4, { run: 2, plan: { base: 2 } })
    await saveBatch(results, again)
    await putSummary(results, progressOf(again))
    await writePart(results, 'b1', 2, [okRecord('b', { etag: 'v2' })], 'a2')
    expect(await read('b1')).toEqual([
      ['a', 'v1'],
      ['b', 'v2'],
    ])
  })

  it('that does not exist are an error', async () => {
    await expect(read('b1')).rejects.toMatchObject({ code: 'batch_not_found', status: 404 })
    await expect(read('uploads-2026-11-22')).rejects.toMatchObject({ code: 'batch_not_found' })
  })

  it('of a day’s uploads are the newest versions, in key order', async () => {
    const at = (minute: number) => `2026-11-22T08:0${minute}:00.000Z`
    const day = 'uploads-2026-11-22'
    const arrive = (records: ImageRecord[], activationId: string) =>
      writeArrival(results, day, records, { at: Date.parse(at(4)), activationId })
    await arrive([okRecord('😀', { at: at(1) }), okRecord('b', { at: at(3), etag: 'v3' })], 'a1')
    await arrive([okRecord('b', { at: at(2), etag: 'v2' }), okRecord('～', { at: at(2) })], 'a2')
    await arrive([okRecord('b', { at: at(4), bucket: 'other' })], 'a3')
    // Images found by scans.
    await writePart(results, day, 0, [okRecord('c', { at: at(3) })], 'a4')
    const open = batchOf('photos', {}, { batch: day, kind: 'uploads', dispatch: { next: 1 } })
    await saveBatch(results, open)
    await putSummary(results, progressOf(open))
    expect(await read('uploads-2026-11-22')).toEqual([
      ['b', 'v1'],
      ['b', 'v3'],
      ['c', 'v1'],
      ['～', 'v1'],
      ['😀', 'v1'],
    ])
  })
})

describe('the list of batches', () => {
  it('has each once, days of uploads included', async () => {
    for (const key of ['b1/plan.json', 'b1/parts/x', 'b2/plan.json', 'uploads-2026-11-22/parts/x']) {
      await results.put(`batches/${key}`, '')
    }
    await results.put('images/m/photos/a', '')
    expect(await collect(listBatches(results))).toEqual(['b1', 'b2', 'uploads-2026-11-22'])
  })

  it('skips those with an unreadable summary', async () => {
    for (const batch of ['b1', 'b2']) await putSummary(results, progressOf(planned(1, { batch })))
    for (const [batch, body] of Object.entries({
      cut: '{"schema":',
      other: '{"schema":"whisklens.summary/2"}',
    }))
      await results.put(summaryKey(batch), body)
    expect((await newestBatches(results)).map(({ batch }) => batch).sort()).toEqual(['b1', 'b2'])
  })
})

describe('a query', () => {
  const records = [
    okRecord('x/a', { labels: [{ ...tabby, probability: 0.9 }] }),
    okRecord('x/b', { labels: [{ ...tabby, label: 'espresso', className: 'espresso', probability: 0.4 }] }),
    errorRecord('y/c'),
  ]
  const keys = (query: Parameters<typeof matches>[0]) => records.filter(matches(query)).map(({ key }) => key)

  it('matches all records by default', () => {
    expect(keys({})).toEqual(['x/a', 'x/b', 'y/c'])
  })

  it('matches any name of the top label, ignoring case', () => {
    expect(keys({ label: 'TABBY CAT' })).toEqual(['x/a'])
    expect(keys({ label: 'presso' })).toEqual(['x/b'])
    expect(keys({ label: 'dog' })).toEqual([])
  })

  it('matches kinds, besides names that contain the text', () => {
    const labelled = (key: string, className: string, wordnetId: string) =>
      okRecord(key, { labels: [{ ...tabby, className, wordnetId }] })
    const animals = [
      labelled('beagle', 'beagle', 'n02088364'),
      labelled('sled', 'dogsled, dog sled, dog sleigh', 'n03218198'),
      labelled('lynx', 'lynx, catamount', 'n02127052'),
      labelled('boat', 'catamaran', 'n02981792'),
      labelled('own', 'dog biscuit', ''),
      errorRecord('broken'),
    ]
    const found = (label: string) => animals.filter(matches({ label })).map(({ key }) => key)
    expect(found('Dog')).toEqual(['beagle', 'sled', 'own'])
    expect(found('n02084071')).toEqual(['beagle'])
    expect(found('N02127052')).toEqual(['lynx'])
    expect(found('cat')).toEqual(['lynx', 'boat'])
    expect(found('animal')).toEqual(['beagle', 'lynx'])
    expect(found('vehicle')).toEqual(['sled', 'boat'])
    expect(found('ani')).toEqual([])
  })

  it('combines status, prefix and minimum probability', () => {
    expect(keys({ status: 'error' })).toEqual(['y/c'])
    expect(keys({ prefix: 'x/' })).toEqual(['x/a', 'x/b'])
    expect(keys({ minProbability: 0.5 })).toEqual(['x/a'])
    expect(keys({ prefix: 'x/', status: 'ok', minProbability: 0.4, label: 'e' })).toEqual(['x/b'])
  })

  it('is parsed from text, as in URLs', () => {
    expect(querySchema.parse({ minProbability: '0.5', limit: '10', status: 'ok' })).toEqual({
      minProbability: 0.5,
      limit: 10,
      status: 'ok',
    })
    expect(querySchema.parse({}).limit).toBe(100)
    for (const wrong of [{ limit: '0' }, { limit: '1001' }, { minProbability: '2' }, { status: 'lost' }]) {
      expect(querySchema.safeParse(wrong).success).toBe(false)
    }
  })
})

describe('pages of results', () => {
  const file = resultsKey('b1', 'results.jsonl')

  /** Writes the files of a closed batch with these records. */
  async function close(records: ImageRecord[]): Promise<void> {
    await results.put(file, toJsonLines(records))
    await putSummary(results, { ...progressOf(planned(records.length)), state: 'complete', exact: true })
  }

  const pageAfter = (after: string | undefined, request: PageRequest, bucket = results) =>
    takePage(
      readResultsAfter(bucket, 'b1', { after: after === undefined ? undefined : cursorSchema.parse(after) }),
      ({ key, etag }) => ({ key, etag }),
      request,
    )

  const recordsOf = (keys: string[], etag = 'v1') =>
    [...keys].sort(inBytes).map((key) => (key.length % 3 ? okRecord(key, { etag }) : errorRecord(key)))

  const anyRequest = fc.record({
    matches: fc.constantFrom(matches({}), matches({ status: 'ok' })),
    limit: fc.integer({ min: 1, max: 7 }),
    maxScanned: fc.integer({ min: 1, max: 7 }),
  })

  it('together have all matching records, for any page size', async () => {
    await fc.assert(
      fc.asyncProperty(anyKeys(20), anyRequest, fc.boolean(), async (keys, request, isOpen) => {
        const records = recordsOf(keys)
        if (isOpen) {
          results = await objects.newBucket()
          await saveBatch(results, planned(keys.length + 1))
          await putSummary(results, progressOf(planned(keys.length + 1)))
          if (records.length > 0) await writePart(results, 'b1', 0, records, 'a1')
        } else await close(records)
        const seen: object[] = []
        let after: string | undefined
        do {
          const page = await pageAfter(after, request)
          expect(page.items.length).toBeLessThanOrEqual(request.limit)
          seen.push(...page.items)
          after = page.next
        } while (after !== undefined)
        expect(seen).toEqual(records.filter(request.matches).map(({ key, etag }) => ({ key, etag })))
      }),
      { numRuns: 50 },
    )
  })

  it('resume after the last record when the batch is closed again in between', async () => {
    await fc.assert(
      fc.asyncProperty(anyKeys(12), anyKeys(12), anyRequest, async (before, now, request) => {
        const [old, updated] = [recordsOf(before), recordsOf(now, 'v2')]
        await close(old)
        const first = await pageAfter(undefined, request)
        await close(updated)
        const seen: object[] = []
        let after = first.next
        const reached = after === undefined ? undefined : cursorSchema.parse(after)
        while (after !== undefined) {
          const page = await pageAfter(after, request)
          seen.push(...page.items)
          after = page.next
        }
        const isLeft = (record: Position) => reached !== undefined && comparePositions(record, reached) > 0
        const left = updated.filter((record) => isLeft(record) && request.matches(record))
        expect(seen).toEqual(left.map(({ key, etag }) => ({ key, etag })))
      }),
      { numRuns: 50 },
    )
  })

  it('of a closed batch start reading where the previous one ended, and stop early', async () => {
    const records = recordsOf(Array.from({ length: 40 }, (_, at) => String(at).padStart(3, '0')))
    await close(records)
    const begins: unknown[] = []
    const bucket = new Proxy(results, {
      get: (target, name) =>
        name === 'lines'
          ? (key: string, options: Parameters<Bucket['lines']>[1]) => {
              begins.push(options?.from)
              return target.lines(key, options)
            }
          : Reflect.get(target, name),
    })
    const rare = { matches: ({ key }: ImageRecord) => key === '035', limit: 5, maxScanned: 15 }
    const found: string[][] = []
    let after: string | undefined
    do {
      const page = await pageAfter(after, rare, bucket)
      found.push(page.items.map(({ key }) => key))
      after = page.next
    } while (after !== undefined)
    expect(found).toEqual([[], [], ['035']])
    const endOf = (count: number) => Buffer.byteLength(toJsonLines(records.slice(0, count)))
    expect(begins).toEqual([0, endOf(15), endOf(30)])
  })

  it('end at a cursor that round-trips for any key', () => {
    fc.assert(
      fc.property(anyKey, anyKey, (key, bucket) => {
        const file = { etag: bucket, end: key.length }
        for (const position of [
          { key, bucket },
          { key, bucket, file },
        ])
          expect(cursorSchema.parse(toCursor(position))).toEqual(position)
        expect(Math.sign(comparePositions({ key, bucket }, { key, bucket: `${bucket}x` }))).toBe(-1)
      }),
    )
  })

  it('refuse an invalid cursor', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        const parsed = cursorSchema.safeParse(text)
        if (parsed.success)
          expect(parsed.data).toEqual({ key: expect.any(String), bucket: expect.any(String) })
      }),
    )
    expect(cursorSchema.safeParse('bm9uZQ').success).toBe(false)
  })
})
