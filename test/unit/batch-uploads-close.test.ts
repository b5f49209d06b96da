import fc from 'fast-check'
import { csvHeader } from '../../src/batch/close/csv'
import { fromJsonLines } from '../../src/batch/json-lines'
import { resultsKey, resultsNames, summaryKey } from '../../src/batch/layout'
import { readResults } from '../../src/batch/results/results'
import { isMarked, markClosed, markOpen } from '../../src/batch/run/open'
import { readSummary } from '../../src/batch/summary/summary-object'
import { closeUploads } from '../../src/batch/uploads/close'
import { closeDay } from '../../src/batch/uploads/close-day'
import { updateUploadsSummary } from '../../src/batch/uploads/count'
import { type UploadsPart, writeUploadParts } from '../../src/batch/uploads/parts'
import { runLimits, sortNextRun } from '../../src/batch/uploads/runs'
import { StorageError } from '../../src/errors'
import type { BatchSummary, ImageRecord } from '../../src/schema'
import type { Bucket } from '../../src/storage/store'
import {
  advanceClock,
  collect,
  counted,
  errorRecord,
  minutes,
  okRecord,
  setClock,
  startTestStore,
  type TestStore,
  textOf,
  watched,
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

let activations = 0

/** Writes a part of that day, whatever the time. */
async function write(records: ImageRecord[], bucket = results): Promise<UploadsPart> {
  const usage = { classifyMs: 100, aggregateMs: 10, container: 'c1' }
  const [part] = await writeUploadParts(bucket, records, `a${++activations}`, usage)
  if (!part) throw new Error('No part was written')
  return part
}

const upload = async (records: ImageRecord[]): Promise<boolean> =>
  updateUploadsSummary(results, await write(records))

/** The day after, when it can be closed. */
const nextDay = (): void => setClock('2026-11-23T01:00:00Z')

const at = (minute: number): string =>
  new Date(Date.parse('2026-11-22T08:00:00Z') + minutes(minute)).toISOString()

const filesOf = (bucket: Bucket) =>
  Promise.all(
    [...resultsNames.map((name) => resultsKey(day, name)), summaryKey(day)].map((key) => textOf(bucket, key)),
  )

const linesOf = async (name: 'results.jsonl' | 'errors.jsonl'): Promise<ImageRecord[]> =>
  fromJsonLines(Buffer.from((await textOf(results, resultsKey(day, name))) ?? ''))

describe('a day of uploads that is closed', () => {
  it('has the newest record of each image, those in error once more, a table and an exact summary', async () => {
    await upload([okRecord('b', { at: at(3), etag: 'v3' }), errorRecord('a', {}, { at: at(1) })])
    await upload([okRecord('b', { at: at(2), etag: 'v2' })])
    await upload([okRecord('b', { at: at(3), etag: 'v3' }), okRecord('b', { at: at(1), bucket: 'other' })])
    nextDay()
    const summary = await closeUploads(results, day)
    expect((await linesOf('results.jsonl')).map(({ key, bucket, etag }) => [key, bucket, etag])).toEqual([
      ['a', 'photos', 'v1'],
      ['b', 'other', 'v1'],
      ['b', 'photos', 'v3'],
    ])
    expect((await linesOf('errors.jsonl')).map(({ key }) => key)).toEqual(['a'])
    const csv = await textOf(results, resultsKey(day, 'results.csv'))
    expect(csv?.startsWith(csvHeader)).toBe(true)
    expect(csv?.split('\r\n')).toHaveLength(5)
    expect(summary).toEqual(await readSummary(results, day))
    expect(summary).toMatchObject({
      state: 'complete',
      exact: true,
      totals: { listed: 3, planned: 3, skipped: 0, ok: 2, error: 1, pending: 0 },
      labels: [{ label: 'tabby', count: 2 }],
      startedAt: at(1),
      endedAt: at(3),
      containers: 1,
      // Three parts, each 100 ms at 512 MB and 10 ms at 256 MB.
      gbSeconds: 0.1575,
    })
    expect(await collect(readResults(results, day))).toEqual(await linesOf('results.jsonl'))
  })

  it('is what a naive reading of it says, whatever the order, the repeats and the runs', async () => {
    const anyRecord = fc
      .record({
        key: fc.constantFrom('a', 'a/b', 'b', 'é', '～', '😀'),
        bucket: fc.constantFrom('x', 'y'),
        minute: fc.integer({ min: 0, max: 9 }),
        isError: fc.boolean(),
      })
      .map(({ key, bucket, minute, isError }) =>
        (isError ? (k: string, c: object) => errorRecord(k, {}, c) : okRecord)(key, {
          bucket,
          at: at(minute),
          etag: `v${minute}`,
        }),
      )
    const anyPart = fc.array(anyRecord, { minLength: 1, maxLength: 4 })
    /** Some parts come twice; which are sorted before the end differs. */
    const anyDay = fc.array(fc.record({ records: anyPart, again: fc.boolean(), sorts: fc.boolean() }), {
      minLength: 1,
      maxLength: 8,
    })
    jest.replaceProperty(runLimits, 'parts', 2)
    jest.replaceProperty(runLimits, 'smallRuns', 2)
    await fc.assert(
      fc.asyncProperty(anyDay, fc.infiniteStream(fc.nat()), async (parts, random) => {
        const arrivals = parts
          .flatMap(({ again, ...part }) => (again ? [part, part] : [part]))
          .map((part) => ({ part, order: random.next().value }))
          .sort((a, b) => a.order - b.order)
          .map(({ part }) => part)
        results = await objects.newBucket()
        const unsorted = await objects.newBucket()
        setClock('2026-11-22T08:10:00Z')
        for (const { records, sorts } of arrivals) {
          await upload(records)
          await write(records, unsorted)
          advanceClock(minutes(3))
          if (sorts) await sortNextRun(results, day)
        }
        const images = arrivals.flatMap(({ records }) => records)
        const expected = naive(images)
        expect(await collect(readResults(results, day))).toEqual(expected)
        expect((await readSummary(results, day))?.totals.listed).toBe(images.length)
        nextDay()
        const summary = await closeUploads(results, day)
        expect(await linesOf('results.jsonl')).toEqual(expected)
        expect(summary?.totals).toMatchObject({
          listed: expected.length,
          ok: expected.filter(({ status }) => status === 'ok').length,
          pending: 0,
        })
        jest.replaceProperty(runLimits, 'parts', 1000)
        await closeUploads(unsorted, day)
        jest.replaceProperty(runLimits, 'parts', 2)
        expect(await filesOf(unsorted)).toEqual(await filesOf(results))
      }),
      { numRuns: 12 },
    )
  })

  it('is left as it is when it is closed again', async () => {
    await upload([okRecord('a')])
    nextDay()
    const first = await closeUploads(results, day)
    const { bucket, requests } = counted(results)
    expect(await closeUploads(bucket, day)).toEqual(first)
    expect(requests.every(({ method }) => ['find', 'head'].includes(method))).toBe(true)
  })

  it('has the same bytes when two close it at the same time, and when it is done again', async () => {
    await upload([okRecord('a'), errorRecord('b')])
    nextDay()
    await Promise.all([closeUploads(results, day), closeUploads(results, day)])
    const before = await filesOf(results)
    for (const name of [...resultsNames.map((one) => resultsKey(day, one)), summaryKey(day)])
      await results.delete(name)
    await closeUploads(results, day)
    expect(await filesOf(results)).toEqual(before)
  })

  it('is closed by the next one when whoever did so died before the summary', async () => {
    await upload([okRecord('a')])
    nextDay()
    const dying = watched(results, ({ method, key }) => {
      if (method === 'put' && key === summaryKey(day))
        throw new StorageError('store_failed', 0, 'The process is gone')
    })
    await expect(closeUploads(dying, day)).rejects.toThrow('gone')
    expect(await readSummary(results, day)).toMatchObject({ state: 'running' })
    expect(await closeUploads(results, day)).toMatchObject({ state: 'complete' })
  })

  it('has the records of an activation that died before it counted them', async () => {
    await write([okRecord('a')])
    nextDay()
    expect(await closeUploads(results, day)).toMatchObject({ totals: { ok: 1 } })
  })
})

describe('a part that comes late', () => {
  beforeEach(async () => {
    await upload([okRecord('a', { at: at(1) })])
    nextDay()
  })

  it('opens the day again, to be closed once more', async () => {
    await closeUploads(results, day)
    await markClosed(results, day)
    await upload([okRecord('b', { at: at(2) })])
    expect(await readSummary(results, day)).toMatchObject({
      state: 'running',
      exact: false,
      totals: { ok: 2 },
    })
    expect(await isMarked(results, day)).toBe(true)
    expect(await collect(readResults(results, day))).toHaveLength(2)
    expect(await closeUploads(results, day)).toMatchObject({ state: 'complete', totals: { ok: 2 } })
  })

  it('marks the day once more when whoever closed it has just taken the marker away', async () => {
    await closeUploads(results, day)
    const slow: Bucket = {
      ...results,
      put: async (key, ...rest) => {
        if (key === summaryKey(day)) await markClosed(results, day)
        return results.put(key, ...rest)
      },
    }
    await updateUploadsSummary(slow, await write([okRecord('b', { at: at(2) })]))
    expect(await readSummary(results, day)).toMatchObject({ state: 'running' })
    expect(await isMarked(results, day)).toBe(true)
  })

  it('leaves the day closed when it was counted by then', async () => {
    const part = await write([okRecord('b', { at: at(2) })])
    await updateUploadsSummary(results, part)
    const summary = await closeUploads(results, day)
    await updateUploadsSummary(results, part)
    expect(await readSummary(results, day)).toEqual(summary)
  })

  it.each(['results.jsonl', 'summary.json'])('is not lost while %s is being written', async (name) => {
    let late: Promise<boolean> | undefined
    const slow: Bucket = {
      ...results,
      put: async (key, ...rest) => {
        if (key.endsWith(name) && !late) {
          late = upload([okRecord('b', { at: at(2) })])
          await late
        }
        return results.put(key, ...rest)
      },
    }
    expect(await closeUploads(slow, day)).toMatchObject({ state: 'complete', totals: { ok: 2 } })
    expect(await readSummary(results, day)).toMatchObject({ state: 'complete', totals: { ok: 2 } })
    expect(await linesOf('results.jsonl')).toHaveLength(2)
  })

  it('does not turn a closed day’s summary back, where its own is late', async () => {
    const part = await write([okRecord('b', { at: at(2) })])
    let summary: BatchSummary | undefined
    const slow: Bucket = {
      ...results,
      find: async (key) => {
        if (key === summaryKey(day)) summary ??= await closeUploads(results, day)
        return results.find(key)
      },
    }
    await updateUploadsSummary(slow, part)
    expect(summary).toMatchObject({ state: 'complete', totals: { ok: 2 } })
    expect(await readSummary(results, day)).toEqual(summary)
  })
})

describe('closing a large day', () => {
  /** Thirteen records of half a megabyte, all but one in parts that are sorted. */
  async function uploadMuch(bucket: Bucket): Promise<void> {
    jest.replaceProperty(runLimits, 'parts', 2)
    setClock('2026-11-22T08:00:00Z')
    activations = 0
    for (const first of 'ace') {
      const second = String.fromCharCode(first.charCodeAt(0) + 1)
      await write(
        [first, second].map((key) => large(`${key}1`)),
        bucket,
      )
      await write(
        [second, first].map((key) => large(`${key}2`)),
        bucket,
      )
    }
    await write([large('g')], bucket)
    nextDay()
  }
  const large = (key: string) => errorRecord(key, { message: key.repeat(250_000) }, { at: at(1) })

  it('goes on in another activation when time is up', async () => {
    await uploadMuch(results)
    /** Each activation has time for eleven images. */
    const activation = async () => {
      let images = 0
      begun = []
      const lines: Bucket['lines'] = (key, options) => {
        begun.push(options?.from ?? 0)
        return results.lines(key, options)
      }
      return closeUploads({ ...results, lines }, day, { stopAt: 11, now: () => ++images })
    }
    let begun: number[] = []
    const ends: (string | undefined)[] = []
    while (ends.at(-1) !== 'complete' && ends.length < 9) ends.push((await activation())?.state)
    // What one had written, the next did not write again, and hardly read.
    expect(ends).toEqual([undefined, undefined, 'complete'])
    expect(begun.filter((byte) => byte > 0).length).toBeGreaterThan(1)
    const whole = await objects.newBucket()
    await uploadMuch(whole)
    await closeUploads(whole, day)
    expect(await filesOf(results)).toEqual(await filesOf(whole))
    expect(await objects.unfinishedUploads(results)).toEqual([])
  })

  it('stops when somebody else is in charge', async () => {
    await uploadMuch(results)
    const taken = closeUploads(results, day, { stillThere: async () => false })
    await expect(taken).rejects.toMatchObject({ code: 'batch_taken_over' })
    expect(await readSummary(results, day)).toBeUndefined()
  })
})

describe('whoever is sent to close a day', () => {
  const close = (tell: (summary: BatchSummary) => Promise<unknown>) =>
    closeDay(day, {
      results,
      activationId: 'c1',
      stopAt: Number.MAX_SAFE_INTEGER,
      tell,
      goOn: async () => {},
    })

  it('tells of its end once', async () => {
    await upload([okRecord('a')])
    nextDay()
    const told: BatchSummary[] = []
    const tell = async (summary: BatchSummary) => told.push(summary)
    await close(tell)
    await close(tell)
    expect(told).toEqual([await readSummary(results, day)])
    expect(await isMarked(results, day)).toBe(false)
  })

  it('leaves it marked when a part came while its end was being told', async () => {
    await upload([okRecord('a')])
    nextDay()
    const left = await close(() => upload([okRecord('b')]))
    expect(left).toMatchObject({ state: 'running', totals: { ok: 2 } })
    expect(await isMarked(results, day)).toBe(true)
    expect(await close(async () => {})).toMatchObject({ state: 'complete', totals: { ok: 2 } })
    expect(await isMarked(results, day)).toBe(false)
  })

  it('closes a day of which only the marker is there', async () => {
    await markOpen(results, day)
    nextDay()
    expect(await close(async () => {})).toMatchObject({ state: 'complete', totals: { planned: 0 } })
  })
})

/** Of each image the newest record, in the order of the UTF-8 bytes of key and bucket. */
function naive(records: ImageRecord[]): ImageRecord[] {
  const images = new Map<string, ImageRecord[]>()
  for (const record of records) {
    const name = `${record.key}\0${record.bucket}`
    images.set(name, [...(images.get(name) ?? []), record])
  }
  return [...images]
    .sort(([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
    .map(
      ([, of]) =>
        of.sort((a, b) => (`${a.at}${JSON.stringify(a)}` < `${b.at}${JSON.stringify(b)}` ? 1 : -1))[0],
    )
    .filter((record) => record !== undefined)
}
