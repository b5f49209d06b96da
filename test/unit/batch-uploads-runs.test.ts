import fc from 'fast-check'
import { readResults } from '../../src/batch/results/results'
import { updateUploadsSummary } from '../../src/batch/uploads/count'
import { mergeRecords } from '../../src/batch/uploads/merge'
import { listUploadParts, writeUploadParts } from '../../src/batch/uploads/parts'
import { openUploads } from '../../src/batch/uploads/read'
import { openRuns, readRuns, runLimits, sortNextRun } from '../../src/batch/uploads/runs'
import type { ImageRecord } from '../../src/schema'
import type { Bucket } from '../../src/storage/store'
import {
  advanceClock,
  collect,
  counted,
  from,
  minutes,
  okRecord,
  setClock,
  startTestStore,
  type TestStore,
} from './batch-fixtures'

const day = 'uploads-2026-11-22'

let objects: TestStore
let results: Bucket

beforeAll(async () => {
  objects = await startTestStore()
})
afterAll(() => objects.close())
beforeEach(async () => {
  setClock('2026-11-22T08:00:00Z')
  results = await objects.newBucket()
})
afterEach(() => {
  jest.useRealTimers()
  jest.restoreAllMocks()
})

const limit = (changes: Partial<typeof runLimits>): void => {
  for (const [name, value] of Object.entries(changes))
    jest.replaceProperty(runLimits, name as keyof typeof runLimits, value)
}

const upload = (keys: string[], activationId: string, usage?: Parameters<typeof writeUploadParts>[3]) =>
  writeUploadParts(
    results,
    keys.map((key) => okRecord(key, { at: new Date().toISOString() })),
    activationId,
    usage,
  )

async function sortAll(): Promise<number> {
  let runs = 0
  while (await sortNextRun(results, day)) runs++
  return runs
}

const keys = async (records: AsyncIterable<ImageRecord>) => (await collect(records)).map(({ key }) => key)

describe('the parts of a large day', () => {
  it('are sorted in portions, once no other can precede them', async () => {
    limit({ parts: 2 })
    for (const [number, key] of ['e', 'd', 'c', 'b', 'a'].entries()) {
      await upload([key], `a${number}`)
      advanceClock(minutes(1))
    }
    // Five minutes after its writing a part is settled, and one part is no portion.
    advanceClock(1)
    expect(await sortAll()).toBe(0)
    advanceClock(minutes(1))
    expect(await sortAll()).toBe(1)
    advanceClock(minutes(5))
    expect(await sortAll()).toBe(1)
    const { runs } = await readRuns(results, day)
    expect(runs).toMatchObject({ parts: 4, upTo: '2026-11-22T08-03-00-000Z-a3.jsonl' })
    const read = openRuns(results, day, runs.runs).records.map((records) => keys(records))
    expect(await Promise.all(read)).toEqual([
      ['d', 'e'],
      ['b', 'c'],
    ])
    expect(await keys(readResults(results, day))).toEqual(['a', 'b', 'c', 'd', 'e'])
  })

  it('make a portion by their size, too', async () => {
    await upload(['a', 'b'], 'a1')
    await upload(['c', 'd'], 'a2')
    await upload(['e'], 'a3')
    const [first] = await collect(listUploadParts(results, day, ''))
    limit({ bytes: first?.bytes })
    advanceClock(minutes(6))
    expect(await sortAll()).toBe(2)
    expect((await readRuns(results, day)).runs.parts).toBe(2)
  })

  it('are in few runs: many small ones become one', async () => {
    limit({ parts: 1, smallRuns: 3 })
    for (let number = 0; number < 8; number++) await upload([`k${9 - number}`, 'same'], `a${number}`)
    advanceClock(minutes(6))
    expect(await sortAll()).toBe(8)
    const { runs } = await readRuns(results, day)
    expect(runs.runs.map(({ start, end }) => [start, end])).toEqual([
      [0, 7],
      [7, 8],
    ])
    expect(await keys(readResults(results, day))).toEqual([
      ...Array.from({ length: 8 }, (_, number) => `k${number + 2}`),
      'same',
    ])
  })

  it('stay in runs that are large', async () => {
    limit({ parts: 1, smallRuns: 2, smallBytes: 100 })
    for (let number = 0; number < 4; number++) await upload([`k${number}`], `a${number}`)
    advanceClock(minutes(6))
    await sortAll()
    expect((await readRuns(results, day)).runs.runs).toHaveLength(4)
  })

  it('are sorted once when two do so at the same time', async () => {
    limit({ parts: 2 })
    for (const key of ['a', 'b', 'c', 'd']) await upload([key], key)
    advanceClock(minutes(6))
    await Promise.all([sortAll(), sortAll(), sortAll()])
    await sortAll()
    expect((await readRuns(results, day)).runs.runs.map(({ start, end }) => [start, end])).toEqual([
      [0, 2],
      [2, 4],
    ])
  })

  it('are counted with what was used for them, sorted or not', async () => {
    limit({ parts: 2 })
    for (let number = 0; number < 5; number++) {
      const usage = { classifyMs: 100, aggregateMs: 10, container: `c${number % 2}` }
      await upload([`k${number}`], `a${number}`, usage)
    }
    advanceClock(minutes(6))
    const expected = { classifyMs: 500, aggregateMs: 50, containers: ['c0', 'c1'] }
    expect((await openUploads(results, day)).usage).toEqual(expected)
    await sortAll()
    expect(await openUploads(results, day)).toMatchObject({ usage: expected, parts: 5 })
  })

  it('are sorted by those who count them, as there come to be enough', async () => {
    limit({ parts: 3 })
    for (let number = 0; number < 7; number++) {
      const [part] = await upload([`k${number}`], `a${number}`)
      if (part) await updateUploadsSummary(results, part)
      advanceClock(minutes(3))
    }
    expect((await readRuns(results, day)).runs.parts).toBe(3)
  })
})

describe('reading a large day', () => {
  it('reads no part that is in a run', async () => {
    limit({ parts: 5 })
    for (let number = 0; number < 12; number++) await upload([`k${number}`], `a${number}`)
    advanceClock(minutes(6))
    await sortAll()
    const { bucket, requests } = counted(results)
    expect(await keys(readResults(bucket, day))).toHaveLength(12)
    expect(requests.filter(({ method }) => method === 'get')).toHaveLength(2)
    expect(requests.filter(({ method }) => method === 'lines')).toHaveLength(2)
  })

  it('has 8 MiB of all runs in memory, unless they are very many', () => {
    const inMemory = (count: number): number => {
      let bytes = 0
      const lines: Bucket['lines'] = (_, options) => {
        bytes += options?.blockBytes ?? Number.NaN
        return from([])
      }
      const runs = Array.from({ length: count }, (_, start) => ({ start, end: start + 1, bytes: 10_000_000 }))
      for (const records of openRuns({ ...results, lines }, day, runs).records) void records.next()
      return bytes
    }
    expect(inMemory(1)).toBe(2 ** 20)
    for (const count of [8, 100, 256]) expect(inMemory(count) / 2 ** 20).toBeCloseTo(8, 1)
  })

  it('goes on where it was left, and does not begin anew', async () => {
    limit({ parts: 2 })
    for (let number = 0; number < 6; number++)
      await upload(
        ['a', 'b', 'c', 'd'].map((letter) => `${letter}😀${number}`),
        `a${number}`,
      )
    advanceClock(minutes(6))
    await sortAll()
    const uploads = await openUploads(results, day)
    const all = await keys(uploads.read().records)
    for (let taken = 1; taken < all.length; taken += 5) {
      const first = uploads.read()
      for (let number = 0; number < taken; number++) await first.records.next()
      const offsets = first.offsets()
      const rest = await keys(uploads.read(offsets).records)
      expect(rest.slice(taken - all.length)).toEqual(all.slice(taken))
      // Of each run the record that came last, and no other, comes once more.
      expect(rest.length).toBeLessThanOrEqual(all.length - taken + 3)
    }
  })
})

describe('merging records', () => {
  it('holds one record of each source', async () => {
    let taken = 0
    async function* source(first: number): AsyncGenerator<ImageRecord> {
      for (let number = first; number < 1000; number += 13) {
        taken++
        yield okRecord(String(number).padStart(4, '0'))
      }
    }
    const sources = Array.from({ length: 13 }, (_, first) => source(first))
    let given = 0
    for await (const _ of mergeRecords(sources)) expect(taken - ++given).toBeLessThanOrEqual(sources.length)
    expect(given).toBe(1000)
  })

  it('of no source gives none, and leaves none of them open when it is left', async () => {
    expect(await collect(mergeRecords([]))).toEqual([])
    let open = 0
    async function* source(key: string): AsyncGenerator<ImageRecord> {
      open++
      try {
        yield okRecord(key)
        yield okRecord(`${key}${key}`)
      } finally {
        open--
      }
    }
    for await (const _ of mergeRecords(['a', 'b', 'c'].map(source))) break
    expect(open).toBe(0)
  })

  it('gives the newest of each image, whatever the order of the sources', async () => {
    const anyRecord = fc
      .record({
        key: fc.constantFrom('a', 'aa', 'b', '～', '😀'),
        bucket: fc.constantFrom('x', 'y'),
        minute: fc.integer({ min: 0, max: 4 }),
        etag: fc.constantFrom('v1', 'v2'),
      })
      .map(({ minute, ...record }) =>
        okRecord(record.key, { ...record, at: `2026-11-22T08:0${minute}:00.000Z` }),
      )
    const ordered = (records: ImageRecord[]) =>
      [...records]
        .filter(
          (record, index) =>
            records.findIndex((other) => other.key === record.key && other.bucket === record.bucket) ===
            index,
        )
        .sort((a, b) =>
          Buffer.compare(Buffer.from(`${a.key}\0${a.bucket}`), Buffer.from(`${b.key}\0${b.bucket}`)),
        )
    const anySource = fc.array(anyRecord, { maxLength: 8 }).map(ordered)
    const sourcesAndOrder = fc
      .array(anySource, { maxLength: 6 })
      .chain((sources) =>
        fc.tuple(fc.constant(sources), fc.shuffledSubarray(sources, { minLength: sources.length })),
      )
    await fc.assert(
      fc.asyncProperty(sourcesAndOrder, async ([sources, shuffled]) => {
        const merged = await collect(mergeRecords(sources.map((source) => from(source))))
        expect(await collect(mergeRecords(shuffled.map((source) => from(source))))).toEqual(merged)
        const all = sources.flat()
        expect(ordered(merged)).toEqual(merged)
        for (const { key, bucket } of all) {
          const of = all.filter((record) => record.key === key && record.bucket === bucket)
          const newest = of
            .map(({ at }) => at)
            .sort()
            .at(-1)
          expect(merged.filter((record) => record.key === key && record.bucket === bucket)).toEqual([
            expect.objectContaining({ at: newest }),
          ])
        }
      }),
    )
  })
})
