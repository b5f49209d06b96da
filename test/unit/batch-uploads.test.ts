import { setTimeout as realSleep } from 'node:timers/promises'
import { storeRecord } from '../../src/batch/records/retry'
import { readResults } from '../../src/batch/reports/results'
import { readSummary } from '../../src/batch/reports/summary-object'
import { aggregate } from '../../src/batch/running/aggregate'
import { findOrphans, hasWork, poll } from '../../src/batch/running/reconcile'
import { acquire } from '../../src/batch/state/acquire'
import { readBatch } from '../../src/batch/state/batch'
import { recordKey } from '../../src/batch/state/layout'
import { writeArrival } from '../../src/batch/uploads/arrivals'
import { dayCreator, ensureScanning, hasEnded, isClosable, uploadsBatch } from '../../src/batch/uploads/day'
import { quietFrom } from '../../src/batch/uploads/scan'
import { isoOf } from '../../src/clock'
import { OpenWhiskError } from '../../src/errors'
import type { ImageRecord } from '../../src/schema'
import { saveRegistration } from '../../src/storage/feeds'
import {
  collect,
  errorRecord,
  minutes,
  model,
  startTestStore,
  type TestStore,
  watched,
} from './batch-fixtures'
import { newRunner, type Runner } from './batch-runner'

let objects: TestStore
let runner: Runner
let day: string

beforeAll(async () => {
  objects = await startTestStore()
})
afterAll(() => objects.close())
beforeEach(async () => {
  runner = await newRunner(objects)
  // Noon of the next day, whatever the time: by the store’s clock, all objects are older.
  runner.clock.advance((minutes(720 + 1440) - (runner.clock.now() % minutes(1440))) % minutes(1440))
  day = uploadsBatch(isoOf(runner.clock.now()))
  const { report } = runner
  // Like `aggregate`, store the records of `classify`.
  runner.report = async (message) => {
    if ('batch' in message) await report(message)
    for (const image of await imagesOf(message)) await storeRecord(runner.context(), image)
  }
  await watch()
})

const watch = (changes: object = {}) =>
  saveRegistration(runner.results, {
    trigger: '/guest/image-uploaded',
    bucket: runner.photos.name,
    prefix: '',
    paused: false,
    minutes: 0,
    settle: 0,
    createdAt: isoOf(runner.clock.now()),
    ...changes,
  })

/** The records of a message’s images. */
async function imagesOf(message: object): Promise<ImageRecord[]> {
  const { chunk } = message as { chunk?: { start: number; end: number } }
  if (!chunk) return []
  const records: ImageRecord[] = []
  for await (const record of readResults(runner.results, day)) records.push(record)
  return records
}

const upload = async (...keys: string[]): Promise<void> => {
  for (const key of keys) await runner.photos.put(key, `v1 of ${key}`)
}

/** Classifies a notification’s images, in an activation of its own. */
async function arrive(...keys: string[]): Promise<void> {
  const records = await Promise.all(
    keys.map(async (key) => ({
      ...runner.recordOf(key, (await runner.photos.head(key))?.etag ?? null),
      at: isoOf(runner.clock.now()),
      lastModified: isoOf(runner.clock.now()),
    })),
  )
  await aggregate({ images: records }, runner.context())
}

/** Allows for several sleepers, each of which advances the clock. */
const advance = () => runner.start({ advance: day }, { deadline: runner.clock.now() + minutes(30) })
const dispatched = () => runner.invoked.filter(({ name }) => name.endsWith('/classify-images')).length
const recorded = async () =>
  (await collect(runner.results.list({ prefix: `images/${model}/` }))).map(({ key }) => key.split('/').at(-1))
const keysOfDay = async () => (await collect(readResults(runner.results, day))).map(({ key }) => key)

describe('the day of uploads', () => {
  it('runs from midnight to midnight, plus a grace period', () => {
    const midnight = Date.parse('2026-11-23T00:00:00Z')
    expect(uploadsBatch('2026-11-22T23:59:59.999Z')).toBe('uploads-2026-11-22')
    expect(hasEnded('uploads-2026-11-22', midnight - 1)).toBe(false)
    expect(hasEnded('uploads-2026-11-22', midnight)).toBe(true)
    expect(isClosable('uploads-2026-11-22', midnight + minutes(14))).toBe(false)
    expect(isClosable('uploads-2026-11-22', midnight + minutes(15))).toBe(true)
  })

  it('is quiet after a whole clock minute without anything new', () => {
    const at = Date.parse('2026-11-22T08:00:30Z')
    expect(quietFrom(at)).toBe(Date.parse('2026-11-22T08:02:00Z'))
    expect(quietFrom(0)).toBeLessThan(at)
  })
})

describe('an upload whose notification was accepted', () => {
  it('starts one scan of the bucket, for any number of concurrent notifications', async () => {
    await Promise.all(Array.from({ length: 6 }, () => ensureScanning(runner.context(), true)))
    expect(runner.invoked.length).toBeGreaterThan(0)
    expect(runner.invoked[0]).toMatchObject({ params: { advance: day } })
    expect(await readBatch(runner.results, day)).toMatchObject({ status: 'requested', kind: 'uploads' })
  })

  it('finds the other uploads of a burst', async () => {
    await ensureScanning(runner.context(), true)
    await upload('a', 'b', 'c', 'd', 'e')
    await arrive('c')
    const began = runner.clock.now()
    expect(await advance()).toMatchObject({ state: 'running', totals: { ok: 5, pending: 0 } })
    expect(await recorded()).toEqual(['a', 'b', 'c', 'd', 'e'])
    expect(await keysOfDay()).toEqual(['a', 'b', 'c', 'd', 'e'])
    expect(dispatched()).toBe(1)
    // It released the lease after a quiet minute, and stays open.
    expect(runner.clock.now() - began).toBeGreaterThan(minutes(1))
    expect((await readBatch(runner.results, day))?.lease).toMatchObject({ holder: null, phase: 'idle' })
    expect(runner.fired).toEqual([])
  })

  it('finds uploads during a scan, and dispatches each image once', async () => {
    await ensureScanning(runner.context(), true)
    await upload('a')
    const running = advance()
    while (dispatched() === 0) await realSleep(5)
    await upload('b')
    await running
    expect(await recorded()).toEqual(['a', 'b'])
    expect(dispatched()).toBe(2)
  })

  it('is followed by another scan soon, however long a scan takes', async () => {
    await ensureScanning(runner.context(), true)
    await upload('a')
    const { clock, photos, store } = runner
    const slow = watched(photos, ({ method }) => method === 'list' && clock.advance(minutes(1)))
    runner.store = { bucket: (name) => (name === photos.name ? slow : store.bucket(name)) }
    const at: number[] = []
    const { invoke } = runner.openwhisk
    runner.openwhisk.invoke = async (...message) => {
      if (message[0].endsWith('/classify-images')) {
        at.push(clock.now())
        await upload('b')
      }
      return invoke(...message)
    }
    await advance()
    const [first = 0, second = Infinity] = at
    // A tenth of the time would be nine minutes.
    expect(second - first).toBeLessThan(minutes(4))
  })

  it('waits for the next minute after a refusal', async () => {
    await ensureScanning(runner.context(), true)
    await upload('a')
    const { invoke } = runner.openwhisk
    let refusals = 2
    runner.openwhisk.invoke = async (...message) => {
      if (refusals-- > 0) {
        throw new OpenWhiskError(429, 'Too many requests in the last minute (count: 61, allowed: 60).', {
          retryable: true,
        })
      }
      return invoke(...message)
    }
    await advance()
    expect(await recorded()).toEqual(['a'])
    expect((await readBatch(runner.results, day))?.dispatch.window.perMinute).toBe(60)
  })

  it('ignores earlier uploads, other prefixes, and images that are too young', async () => {
    await upload('old')
    await watch({ since: isoOf(Date.now() + 60_000), prefix: '' })
    await ensureScanning(runner.context(), true)
    await advance()
    expect(await recorded()).toEqual([])
    await watch({ prefix: 'x/' })
    await upload('x/a', 'y/b')
    await advance()
    expect(await recorded()).toEqual(['a'])
  })
})

describe('a poll', () => {
  it('scans the bucket, and keeps no activation waiting if nothing is found', async () => {
    await upload('a')
    expect(await poll('/guest/image-uploaded', runner.context())).toEqual({ resumed: [], batch: day })
    await advance()
    expect(await recorded()).toEqual(['a'])
    runner.invoked.splice(0)
    await poll('/guest/image-uploaded', runner.context())
    expect(runner.invoked).toHaveLength(1)
    expect((await readBatch(runner.results, day))?.lease.expects).toBe(false)
    await advance()
    expect(dispatched()).toBe(0)
    const left = await readBatch(runner.results, day)
    expect(left?.lease).toMatchObject({ holder: null, phase: 'idle' })
  })

  it('invokes an activation that waits for a holder that may have died', async () => {
    await acquire(runner.context({ id: 'died' }), day, {
      isWorker: false,
      create: dayCreator(runner.context(), day),
    })
    await upload('a')
    await poll('/guest/image-uploaded', runner.context())
    expect(runner.invoked.map(({ params }) => params)).toEqual([{ advance: day }])
    await advance()
    expect(await recorded()).toEqual(['a'])
  })

  it('does nothing for a paused feed', async () => {
    await watch({ paused: true })
    expect(await poll('/guest/image-uploaded', runner.context())).toEqual({
      resumed: [],
      message: 'The feed of /guest/image-uploaded is paused',
    })
  })
})

describe('a retryable failure', () => {
  it('is retried with growing backoff', async () => {
    await upload('a')
    runner.recordOf = (key, etag) =>
      errorRecord(
        key,
        { code: 'download_failed', retryable: true },
        { bucket: runner.photos.name, etag, at: isoOf(runner.clock.now()) },
      )
    const look = async (): Promise<number> => {
      const before = dispatched()
      await poll('/guest/image-uploaded', runner.context())
      await advance()
      return dispatched() - before
    }
    expect(await look()).toBe(1)
    expect(await look()).toBe(0)
    runner.clock.advance(minutes(20))
    expect(await look()).toBe(1)
    runner.clock.advance(minutes(20))
    expect(await look()).toBe(0)
    runner.clock.advance(minutes(20))
    expect(await look()).toBe(1)
    // Another version is tried at once.
    await runner.photos.put('a', 'another')
    expect(await look()).toBe(1)
  })

  it('is forgotten once the image is classified or gone', async () => {
    await upload('a', 'b', 'c')
    const { recordOf } = runner
    const failing = (key: string, etag: string | null) =>
      errorRecord(
        key,
        { code: 'download_failed', retryable: true },
        { bucket: runner.photos.name, etag, at: isoOf(runner.clock.now()) },
      )
    runner.recordOf = failing
    const look = async (): Promise<void> => {
      await poll('/guest/image-uploaded', runner.context())
      await advance()
    }
    const notes = async () =>
      (await collect(runner.results.list({ prefix: 'retry/' }))).map(({ key }) => key.split('/').at(-1))
    await look()
    expect(await notes()).toEqual(['a', 'b', 'c'])
    await runner.photos.delete('a')
    await runner.photos.delete('c')
    runner.clock.advance(minutes(20))
    runner.recordOf = (key, etag) => ({ ...recordOf(key, etag), at: isoOf(runner.clock.now()) })
    await look()
    expect(await recorded()).toEqual(['b'])
    expect(await notes()).toEqual([])
  })
})

describe('a day that has ended', () => {
  const tomorrow = () => runner.clock.advance(minutes(1440 - 720) + minutes(16))

  it('is closed with the newest version of each image, and announced', async () => {
    await upload('a', 'b')
    await arrive('a', 'b')
    runner.clock.advance(minutes(1))
    await runner.photos.put('a', 'another')
    await arrive('a')
    await upload('c')
    await advance()
    tomorrow()
    const open = await readBatch(runner.results, day)
    expect(open && hasWork(open, runner.clock.now())).toBe(true)
    const summary = await advance()
    expect(summary).toMatchObject({
      state: 'complete',
      exact: true,
      totals: { listed: 3, planned: 3, ok: 3, pending: 0 },
    })
    const records = await runner.recordsOf(day)
    expect(records.map(({ key }) => key)).toEqual(['a', 'b', 'c'])
    expect(records[0]?.etag).toBe((await runner.photos.head('a'))?.etag)
    expect(runner.fired).toEqual([{ trigger: 'batch-completed', params: summary }])
    expect(await findOrphans(runner.context())).toEqual([])
  })

  it('is closed by activity of the next day', async () => {
    await upload('a')
    await arrive('a')
    await advance()
    tomorrow()
    runner.invoked.splice(0)
    await runner.start({ advance: uploadsBatch(isoOf(runner.clock.now())) })
    expect(runner.invoked).toContainEqual({
      name: '/guest/whisklens/start-batch',
      params: { advance: day },
    })
  })

  it('is reopened by late arrivals, and closed again', async () => {
    await upload('a', 'b')
    await arrive('a')
    await advance()
    tomorrow()
    await advance()
    const late = { ...runner.recordOf('b', 'v9'), at: `${day.slice(8)}T23:59:59.000Z` }
    await aggregate({ images: [late] }, runner.context())
    expect(await readBatch(runner.results, day)).toMatchObject({ run: 2, status: 'requested' })
    expect(await advance()).toMatchObject({ state: 'complete', totals: { ok: 2 } })
    expect(await runner.keysOf(day)).toEqual(['a', 'b'])
    expect(runner.fired).toHaveLength(2)
  })

  it('counts arrivals while open, and sorts large ones in portions', async () => {
    const many = Array.from({ length: 1010 }, (_, n) => `k${String(n).padStart(4, '0')}`)
    const at = runner.clock.now()
    for (const [index, key] of many.entries()) {
      const record = { ...runner.recordOf(key, 'v1'), at: isoOf(at) }
      await writeArrival(runner.results, day, [record], { at: at + index, activationId: 'a1' })
      await runner.results.put(recordKey(model, record), JSON.stringify(record))
    }
    runner.clock.advance(minutes(6))
    await ensureScanning(runner.context(), true)
    expect(await advance()).toMatchObject({ state: 'running', totals: { ok: 1010 } })
    const found = await readBatch(runner.results, day)
    expect(found?.sorted).toMatchObject({ ok: 1000, files: [expect.stringContaining('/sorted/')] })
    expect(await keysOfDay()).toEqual(many)
    tomorrow()
    expect((await advance()).totals).toMatchObject({ ok: 1010 })
    expect(await runner.keysOf(day)).toEqual(many)
    expect(await readSummary(runner.results, day)).toMatchObject({ exact: true })
  })
})
