import fc from 'fast-check'
import * as z from 'zod'
import { StorageError } from '../../src/errors'
import { randomNumbers } from '../../src/random-numbers'
import { openDocument, stampShape } from '../../src/storage/document'
import type { Bucket, StoredObject } from '../../src/storage/store'

const schema = z.strictObject({ count: z.int(), by: z.array(z.string()), ...stampShape })

/** Outcome of a write. `lost after` and `repeated` take effect; `late` takes effect when delivered. */
type Fate = 'well' | 'refused' | 'lost before' | 'lost after' | 'repeated' | 'late'

const unknown = () => new StorageError('store_failed', 0, 'The connection broke', { retryable: true })
const conflict = () => new StorageError('precondition_failed', 412, 'It has changed')

/** A bucket with one object, whose writes have the given outcomes. */
function faultyBucket(fates: Fate[]) {
  let object: { body: string; etag: string } | undefined
  let versions = 0
  const late: (() => void)[] = []
  const write = (body: string, replaces: string | null | undefined): string => {
    if (replaces !== undefined && (object?.etag ?? null) !== replaces) throw conflict()
    object = { body, etag: `v${++versions}` }
    return object.etag
  }
  const bucket = {
    name: 'results',
    find: async (key: string): Promise<StoredObject | undefined> =>
      object && {
        key,
        etag: object.etag,
        body: Buffer.from(object.body),
        size: object.body.length,
        lastModified: '2026-11-22T08:00:00.000Z',
        metadata: {},
        servedAt: Date.parse('2026-11-22T08:00:07.000Z'),
      },
    put: async (_: string, body: string, { replaces }: { replaces?: string | null } = {}) => {
      switch (fates.shift() ?? 'well') {
        case 'well':
          return write(body, replaces)
        case 'refused':
          throw new StorageError('store_failed', 503, 'Slow down', { retryable: true })
        case 'lost before':
          throw unknown()
        case 'lost after':
          write(body, replaces)
          throw unknown()
        case 'repeated':
          write(body, replaces)
          // The SDK retries, and conflicts with its own first attempt.
          return write(body, replaces)
        case 'late':
          late.push(() => write(body, replaces))
          throw unknown()
      }
    },
  }
  return {
    bucket: bucket as unknown as Bucket,
    /** Delivers a late request. */
    deliver: () => {
      try {
        late.shift()?.()
      } catch {
        // Refused: another write came first.
      }
    },
    object: () => schema.parse(JSON.parse(object?.body ?? '{"count":0,"by":[],"revision":1,"writeId":""}')),
  }
}

const clock = { now: () => 0, sleep: async () => {} }

const anyFate = fc.constantFrom<Fate>('well', 'refused', 'lost before', 'lost after', 'repeated', 'late')

describe('a document with several writers', () => {
  it('counts each change exactly once, whatever happens to requests and answers', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.scheduler(),
        fc.array(anyFate, { maxLength: 20 }),
        fc.integer({ min: 1, max: 5 }),
        fc.integer({ min: 1, max: 1_000_000 }),
        async (scheduler, fates, writers, seed) => {
          const { bucket, deliver, object } = faultyBucket([...fates])
          const random = randomNumbers(seed)
          // Requests and responses arrive in any order.
          const scheduled = new Proxy(bucket, {
            get: (target, name) => {
              const value: unknown = Reflect.get(target, name)
              if (typeof value !== 'function') return value
              return async (...args: unknown[]) => {
                await scheduler.schedule(Promise.resolve())
                const answer = await Promise.allSettled([value.apply(target, args)])
                await scheduler.schedule(Promise.resolve())
                if (answer[0]?.status === 'rejected') throw answer[0].reason
                return answer[0]?.value
              }
            },
          })
          const work = Array.from({ length: writers }, (_, writer) =>
            openDocument(scheduled, 'counter', schema, {
              clock,
              random,
            }).update((current) =>
              // A write whose response was lost is recognized by its writer's name.
              current?.by.includes(`w${writer}`)
                ? undefined
                : { count: (current?.count ?? 0) + 1, by: [...(current?.by ?? []), `w${writer}`] },
            ),
          )
          for (let step = 0; step < writers; step++) scheduler.schedule(Promise.resolve()).then(deliver)
          await scheduler.waitFor(Promise.all(work))
          for (let step = 0; step < fates.length; step++) deliver()
          expect(object()).toMatchObject({ count: writers, revision: writers })
          expect(new Set(object().by).size).toBe(writers)
        },
      ),
      { numRuns: 500 },
    )
  })

  it('is not written without a change', async () => {
    const { bucket, object } = faultyBucket([])
    const document = openDocument(bucket, 'counter', schema, { clock, random: Math.random })
    await document.update(() => ({ count: 1, by: [] }))
    expect(await document.update(() => undefined)).toEqual(object())
    expect(object().revision).toBe(1)
  })

  it('knows its age by the clock of the store', async () => {
    const { bucket } = faultyBucket([])
    const document = openDocument(bucket, 'counter', schema, { clock, random: Math.random })
    await document.update(() => ({ count: 1, by: [] }))
    expect(document.age()).toBe(0)
    await document.read()
    expect(document.age()).toBe(7_000)
  })

  it('is given up if others keep changing it, and if the store fails for good', async () => {
    const { bucket } = faultyBucket([])
    let now = 0
    const busy = { ...bucket, name: 'results', put: async () => Promise.reject(conflict()) }
    const pace = { clock: { now: () => (now += 1_000), sleep: async () => {} }, random: Math.random }
    const update = (of: object) =>
      openDocument(of as Bucket, 'counter', schema, pace).update(() => ({ count: 1, by: [] }))
    await expect(update(busy)).rejects.toMatchObject({ code: 'precondition_failed', retryable: true })
    const denied = new StorageError('access_denied', 403, 'No')
    await expect(update({ ...busy, put: async () => Promise.reject(denied) })).rejects.toBe(denied)
  })

  it('that is invalid is an error', async () => {
    const { bucket } = faultyBucket([])
    await bucket.put('counter', '{"count":"many"}')
    const document = openDocument(bucket, 'counter', schema, { clock, random: Math.random })
    await expect(document.read()).rejects.toMatchObject({ code: 'document_invalid' })
  })
})
