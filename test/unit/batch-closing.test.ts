import fc from 'fast-check'
import { uploadPartsOf } from '../../src/batch/closing/join'
import { segmentBytes } from '../../src/batch/closing/segments'
import { writePart } from '../../src/batch/records/parts'
import { readIndex } from '../../src/batch/reports/index-file'
import { recordsOfRows } from '../../src/batch/reports/index-rows'
import { advance } from '../../src/batch/running/advance'
import type { OpenBatch } from '../../src/batch/state/batch'
import { readBatch } from '../../src/batch/state/batch'
import {
  closingPrefix,
  documentKey,
  resultsKey,
  resultsNames,
  summaryKey,
} from '../../src/batch/state/layout'
import { isConcluded } from '../../src/batch/state/lease'
import type { Context } from '../../src/batch/state/platform'
import type { ImageRecord } from '../../src/schema'
import { partBytes } from '../../src/storage/multipart'
import type { Bucket } from '../../src/storage/store'
import {
  closeBatch,
  collect,
  contextOf,
  doneBatch,
  errorRecord,
  hastyClock,
  okRecord,
  type Request,
  saveBatch,
  startTestStore,
  type TestStore,
  tabby,
  textOf,
  watched,
} from './batch-fixtures'

jest.setTimeout(300_000)

let objects: TestStore
let results: Bucket
const defaultBytes = segmentBytes.value

beforeAll(async () => {
  objects = await startTestStore()
  // Segments of a few records, but large enough to be copied.
  segmentBytes.value = partBytes
})
afterAll(async () => {
  segmentBytes.value = defaultBytes
  await objects.close()
})
beforeEach(async () => {
  results = await objects.newBucket()
})

const key = (number: number): string => `k${String(number).padStart(3, '0')}`

/** A record so large that twenty make a segment; every third is an error. */
function large(number: number, changes: Partial<ImageRecord> = {}): ImageRecord {
  const message = `${number} `.repeat(1) + 'x'.repeat(280_000)
  if (number % 3 === 0) return errorRecord(key(number), { message }, changes)
  return okRecord(key(number), { labels: [tabby], activationId: message, ...changes })
}

const images = 48

async function writeParts(count = images): Promise<OpenBatch> {
  for (let start = 0; start < count; start += 7) {
    const records = Array.from({ length: Math.min(8, count - start) }, (_, at) => large(start + at))
    const usage = { classifyMs: 100 + start, aggregateMs: 10, container: `c${start % 4}` }
    await writePart(results, 'b1', start, records, 'a1', usage)
  }
  return doneBatch('photos', count)
}

const etags = (bucket = results): Promise<(string | undefined)[]> =>
  Promise.all(
    [...resultsNames.map((name) => resultsKey('b1', name)), summaryKey('b1')].map(
      async (name) => (await bucket.head(name))?.etag,
    ),
  )

async function forget(): Promise<void> {
  for (const name of [...resultsNames.map((file) => resultsKey('b1', file)), summaryKey('b1')])
    await results.delete(name)
}

const keysOf = async (): Promise<string[]> =>
  ((await textOf(results, resultsKey('b1', 'results.jsonl'))) ?? '')
    .split('\n')
    .filter((line) => line)
    .map((line) => JSON.parse(line).key)

/** An activation that closes the batch. */
const close = (bucket = results, changes: Partial<Context> = {}) =>
  advance({ advance: 'b1' }, { ...contextOf(objects.store, bucket, changes) })

describe('closing a batch', () => {
  it('joins its segments and leaves no other objects', async () => {
    const batch = await writeParts()
    const { totals, containers } = await closeBatch(objects.store, results, batch)
    expect(totals).toMatchObject({ planned: 48, ok: 32, error: 16, pending: 0 })
    expect(containers).toBe(4)
    expect(await keysOf()).toEqual(Array.from({ length: images }, (_, number) => key(number)))
    expect((await results.head(resultsKey('b1', 'results.jsonl')))?.etag).toMatch(/-3$/)
    expect((await textOf(results, resultsKey('b1', 'errors.jsonl')))?.split('\n')).toHaveLength(17)
    expect((await textOf(results, resultsKey('b1', 'results.csv')))?.split('\r\n')).toHaveLength(50)
    const index = await readIndex(results, resultsKey('b1', 'index.bin'))
    expect(index.directory.blocks.map(({ rows }) => rows)).toEqual([19, 19, 10])
    const rows = await collect(recordsOfRows(results, index, [[0, images]]))
    expect(rows.map(({ row, record }) => [row, record.key])).toEqual(
      Array.from({ length: images }, (_, number) => [number, key(number)]),
    )
    expect(await collect(results.list({ prefix: closingPrefix('b1') }))).toEqual([])
    expect(await objects.unfinishedUploads(results)).toEqual([])
  })

  it('twice writes the same bytes', async () => {
    const batch = await writeParts()
    await closeBatch(objects.store, results, batch)
    const first = await etags()
    await forget()
    await closeBatch(objects.store, results, batch)
    expect(await etags()).toEqual(first)
  })

  it('writes the same bytes when killed before or after any request', async () => {
    const batch = await writeParts()
    await closeBatch(objects.store, results, batch)
    const expected = await etags()
    const isSeen = ({ method }: Request) => method !== 'list' && method !== 'lines'
    let requests = 0
    await forget()
    await saveBatch(results, batch)
    await close(watched(results, (request) => void (isSeen(request) && requests++)))
    expect(requests).toBeGreaterThan(30)
    for (let at = 0; at < requests; at += 7) {
      await forget()
      await saveBatch(results, { ...batch, startedAt: batch.startedAt })
      await close(killedAt(at, isSeen)).catch(() => {})
      await close()
      expect([at, await etags()]).toEqual([at, expected])
      expect(await readBatch(results, 'b1')).toMatchObject({ status: 'complete', announced: true })
    }
  })

  /** A bucket that stops responding from a request on, which may or may not have taken effect. */
  function killedAt(at: number, counts: (request: Request) => boolean): Bucket {
    let seen = 0
    const dead = () => Promise.reject(new Error('The process is gone'))
    return new Proxy(results, {
      get: (target, name) => {
        const value: unknown = Reflect.get(target, name)
        if (typeof value !== 'function') return value
        return (...args: unknown[]) => {
          if (!counts({ method: name as keyof Bucket, key: String(args[0]) }))
            return value.apply(target, args)
          const number = seen++
          if (number < at) return value.apply(target, args)
          return number === at && at % 2 === 0 ? value.apply(target, args).then(dead) : dead()
        }
      },
    })
  }

  const isAnnounced = async (): Promise<boolean> => {
    const found = await readBatch(results, 'b1')
    return found !== undefined && isConcluded(found)
  }

  it('resumes in another activation when time runs out', async () => {
    const batch = await writeParts()
    await closeBatch(objects.store, results, batch)
    const expected = await etags()
    await forget()
    await saveBatch(results, batch)
    let activations = 0
    for (; !(await isAnnounced()); activations++) {
      // Each request takes a second, so there is time for a few.
      const clock = hastyClock()
      const now = clock.now()
      const slow = watched(results, () => clock.advance(1_000))
      const context = contextOf(objects.store, slow, { clock })
      await advance(
        { advance: 'b1' },
        { ...context, activation: { ...context.activation, deadline: now + 95_000 } },
      )
      expect(activations).toBeLessThan(12)
    }
    expect(activations).toBeGreaterThan(1)
    expect(await etags()).toEqual(expected)
  })

  it('is not broken by a former holder that continues', async () => {
    const batch = await writeParts()
    await closeBatch(objects.store, results, batch)
    const expected = await etags()
    for (const name of ['state.json', 'results.csv', '/summary.json']) {
      await forget()
      await saveBatch(results, batch)
      let next: Promise<unknown> | undefined
      // Just before this write another holder takes over.
      const former = new Proxy(results, {
        get: (target, method) =>
          method !== 'put'
            ? Reflect.get(target, method)
            : async (...args: Parameters<Bucket['put']>) => {
                if (args[0].endsWith(name) && !next) {
                  const found = await readBatch(results, 'b1')
                  if (found) await saveBatch(results, { ...found, lease: { ...found.lease, holder: null } })
                  next = close()
                  await next
                }
                return target.put(...args)
              },
      })
      await close(former)
      expect(next).toBeDefined()
      expect([name, await etags()]).toEqual([name, expected])
    }
  })

  it('merges the previous results with those of this run, later ones last', async () => {
    const batch = await writeParts(40)
    await closeBatch(objects.store, results, batch)
    const again = [0, 3, 4, 20, 39, 40].map((number) => large(number, { etag: 'v2' }))
    await writePart(results, 'b1', 40, again, 'a2')
    const second = doneBatch('photos', 46, { run: 2, plan: { base: 40 } })
    const { totals } = await closeBatch(objects.store, results, second)
    expect(totals).toMatchObject({ planned: 41, pending: 0 })
    expect(await keysOf()).toEqual(Array.from({ length: 41 }, (_, number) => key(number)))
    const first = await etags()
    // Closed again, it merges with its own results.
    await closeBatch(objects.store, results, second)
    expect(await etags()).toEqual(first)
  })

  it('writes empty files for a batch without images', async () => {
    await closeBatch(objects.store, results, doneBatch('photos', 0))
    expect(await textOf(results, resultsKey('b1', 'results.jsonl'))).toBe('')
    expect(await textOf(results, resultsKey('b1', 'results.csv'))).toMatch(/^\uFEFFbucket,key,[^\n]*\r\n$/)
    expect(await textOf(results, documentKey('b1'))).toContain('"status":"complete"')
  })
})

describe('upload parts', () => {
  it('have the minimum size except the last, copy large segments, and keep all in order', () => {
    const anySizes = fc.array(fc.nat(30), { maxLength: 20 })
    fc.assert(
      fc.property(anySizes, (sizes) => {
        const objects = sizes.map((size, index) => ({ key: String(index), size }))
        const parts = uploadPartsOf(objects, 10)
        const sum = (part: { size: number }[]) => part.reduce((all, { size }) => all + size, 0)
        for (const part of parts.slice(0, -1)) expect(sum(part)).toBeGreaterThanOrEqual(10)
        expect(parts.flat()).toEqual(objects.filter(({ size }) => size > 0))
        // Only small segments are read.
        for (const part of parts) if (part.length > 1) expect(sum(part.slice(0, -1))).toBeLessThan(10)
      }),
    )
  })
})
