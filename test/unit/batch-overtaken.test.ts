import { writeChunk, writePart } from '../../src/batch/chunk/parts'
import { writeRecord } from '../../src/batch/chunk/record'
import { cancelKey, summaryKey } from '../../src/batch/layout'
import { type Plan, readPlan } from '../../src/batch/plan/plan'
import { requestCancel } from '../../src/batch/run/ending'
import { acquireLease, type Lease, leaseTime } from '../../src/batch/run/lease'
import { isMarked, markClosed } from '../../src/batch/run/open'
import { readSummary, writeSummary } from '../../src/batch/summary/summary-object'
import { OpenWhiskError, StorageError } from '../../src/errors'
import type { BatchSummary } from '../../src/schema'
import {
  advanceClock,
  errorRecord,
  minutes,
  okRecord,
  savePlan,
  setClock,
  startTestStore,
  type TestStore,
  watched,
} from './batch-fixtures'
import { newRunner, type Runner, soon } from './batch-runner'

let mockSleep: () => unknown
jest.mock('node:timers/promises', () => ({ setTimeout: async () => mockSleep() }))

let objects: TestStore
let runner: Runner

beforeAll(async () => {
  objects = await startTestStore()
})
afterAll(() => objects.close())
beforeEach(async () => {
  setClock('2026-11-22T08:00:00Z')
  mockSleep = () => advanceClock(1000)
  runner = await newRunner(objects)
})
afterEach(() => jest.useRealTimers())

const successors = () => runner.invoked.filter(({ name }) => name.endsWith('/start-batch'))

describe('a late closer of an earlier pass', () => {
  let first: BatchSummary
  const closeLate = async (): Promise<void> => {
    await writeSummary(runner.results, first)
    await markClosed(runner.results, 'b1')
  }

  beforeEach(async () => {
    await runner.photos.put('a.jpg', 'v1')
    first = await runner.start({ batch: 'b1' })
    await runner.photos.put('b.jpg', 'v1')
  })

  it('does not send away the successor of the next one', async () => {
    const plan = (await readPlan(runner.results, 'b1')) as Plan
    await savePlan(runner.results, { ...plan, passes: [0, 1], planned: 2, next: 1, cursor: 'b.jpg' })
    await writeChunk(runner.results, 'b1', 1, [{ bucket: runner.photos.name, key: 'b.jpg' }])
    await closeLate()
    const predecessor = (await acquireLease(runner.results, 'b1', 'predecessor')) as Lease
    mockSleep = () => predecessor.release()
    const summary = await runner.start({ batch: 'b1', resume: true }, { id: 'successor' })
    expect(summary).toMatchObject({ state: 'complete', totals: { ok: 2 } })
  })

  it('does not have the last word while that one is under way', async () => {
    const { report } = runner
    let reports = 0
    runner.report = async (message) => {
      if (reports++ === 0) await closeLate()
      else await report(message)
    }
    await runner.start({ batch: 'b1', force: true, chunkSize: 1 }, soon(0))
    mockSleep = () => advanceClock(minutes(1))
    await runner.start({ batch: 'b1', resume: true }, soon(4))
    expect(await readSummary(runner.results, 'b1')).toMatchObject({ state: 'running', endedAt: null })
    expect(await isMarked(runner.results, 'b1')).toBe(true)
  })
})

describe('a failure that may pass', () => {
  const down = () => {
    throw new StorageError('store_failed', 503, 'Slow down', { retryable: true })
  }
  let isDown: (key: string) => boolean
  /** Starts an activation with the runner's own buckets in a store that fails now and then. */
  async function startWith(asked: object): Promise<BatchSummary> {
    const bucket = (name: string) => watched(objects.store.bucket(name), ({ key }) => isDown(key) && down())
    const { start } = await newRunner({ ...objects, store: { bucket } }, runner)
    return start(asked)
  }

  beforeEach(async () => {
    await runner.photos.put('a.jpg', 'v1')
  })

  it('while a batch is planned has a successor called, which sees it through', async () => {
    isDown = (key) => key.includes('/chunks/')
    await expect(startWith({ batch: 'b1' })).rejects.toThrow('Slow down')
    expect(successors()).toMatchObject([{ params: { batch: 'b1', resume: true, failed: 1 } }])
    advanceClock(minutes(1))
    const resumed = await runner.start(successors()[0]?.params ?? {})
    expect(resumed).toMatchObject({ state: 'complete', totals: { ok: 1 } })
  })

  it('of a successor that finds the store as it was, too; but not for ever', async () => {
    isDown = () => true
    await expect(startWith({ batch: 'b1', resume: true, failed: 1 })).rejects.toThrow('Slow down')
    expect(successors()).toMatchObject([{ params: { failed: 2 } }])
    await expect(startWith({ batch: 'b1', resume: true, failed: 8 })).rejects.toThrow('Slow down')
    expect(successors()).toHaveLength(1)
  })

  it('before anything of a batch is there has it begun by another, as it was asked for', async () => {
    await runner.photos.put('x/b.jpg', 'v1')
    isDown = () => true
    const asked = { prefix: 'x/', since: '2026-01-01', minSize: '1', force: true }
    await expect(startWith(asked)).rejects.toThrow('Slow down')
    const [again] = successors()
    expect(again).toMatchObject({ params: { prefix: 'x/', failed: 1 } })
    const summary = await runner.start(again?.params ?? {})
    expect(summary).toMatchObject({ state: 'complete', totals: { listed: 1, ok: 1 } })
    expect(await runner.keysOf(summary.batch)).toEqual(['x/b.jpg'])
  })

  it('between its lease and its marker has it begun by another, too', async () => {
    let reads = 0
    isDown = (key) => key.endsWith('/plan.json') && ++reads > 1
    await expect(startWith({ batch: 'b1', prefix: 'a' })).rejects.toThrow('Slow down')
    expect(await isMarked(runner.results, 'b1')).toBe(false)
    mockSleep = () => advanceClock(leaseTime)
    expect(await runner.start(successors()[0]?.params ?? {})).toMatchObject({ totals: { listed: 1, ok: 1 } })
  })

  it('over which a lease was taken without the answer coming through keeps nobody out', async () => {
    await acquireLease(runner.results, 'b1', 'the one before')
    expect(await runner.start({ batch: 'b1', failed: 1 })).toMatchObject({ totals: { ok: 1 } })
  })

  it('of a dry run is for whoever asked for it', async () => {
    isDown = () => true
    await expect(startWith({ batch: 'b1', dryRun: true })).rejects.toThrow('Slow down')
    expect(successors()).toEqual([])
  })

  it('is told from one that will not', async () => {
    runner.openwhisk.invoke = async (name) => {
      if (name.endsWith('/start-batch')) runner.invoked.push({ name, params: {} })
      throw new OpenWhiskError(404, 'There is no such action')
    }
    await expect(runner.start({ batch: 'b1' })).rejects.toThrow('no such action')
    expect(successors()).toEqual([])
  })
})

describe('a cancel', () => {
  beforeEach(async () => {
    for (const key of ['a.jpg', 'b.jpg', 'c.jpg']) await runner.photos.put(key, 'v1')
    runner.openwhisk.invoke = async () => 'a1'
    await runner.start({ batch: 'b1', chunkSize: 1 }, soon(0))
  })

  it('is not undone by a fire that comes late, while another activation is in charge', async () => {
    await requestCancel(runner.results, 'b1')
    await acquireLease(runner.results, 'b1', 'somebody')
    await runner.start({ batch: 'b1' })
    expect(await runner.results.head(cancelKey('b1'))).toBeDefined()
  })

  it('that came after a fire holds', async () => {
    const { find } = runner.results
    let asked = false
    const store = {
      bucket: (name: string) => ({
        ...objects.store.bucket(name),
        find: async (key: string) => {
          if (!asked && key === summaryKey('b1')) {
            asked = true
            advanceClock(2000)
            await requestCancel(runner.results, 'b1')
          }
          return (name === runner.results.name ? find : objects.store.bucket(name).find)(key)
        },
      }),
    }
    const other = await newRunner({ ...objects, store }, runner)
    expect(await other.start({ batch: 'b1' })).toMatchObject({ state: 'cancelled' })
  })

  it('of before is undone by firing again', async () => {
    await requestCancel(runner.results, 'b1')
    advanceClock(2000)
    runner.openwhisk.invoke = async (_, message) => {
      await runner.report(message)
      return 'a2'
    }
    expect(await runner.start({ batch: 'b1' })).toMatchObject({ state: 'complete', totals: { ok: 3 } })
  })
})

describe('a retry of a batch that was forced', () => {
  it('does again what failed, although an earlier batch has a record of it', async () => {
    for (const key of ['a.jpg', 'b.jpg']) await runner.photos.put(key, 'v1')
    const { report } = runner
    const keep = async (key: string) => {
      const etag = (await runner.photos.head(key))?.etag ?? null
      const record = okRecord(key, { bucket: runner.photos.name, etag, at: new Date().toISOString() })
      expect(await writeRecord(objects.store, runner.results, record)).toBe(true)
    }
    await runner.start({ batch: 'first' })
    for (const key of ['a.jpg', 'b.jpg']) await keep(key)
    runner.report = async () => {
      const failed = errorRecord('b.jpg', { code: 'download_failed', retryable: true })
      await writePart(runner.results, 'forced', 0, [okRecord('a.jpg'), failed], 'a1')
    }
    const forced = await runner.start({ batch: 'forced', force: true })
    expect(forced.totals).toMatchObject({ ok: 1, error: 1 })
    runner.report = report
    const retried = await runner.start({ batch: 'forced', retry: true })
    expect(retried.totals).toMatchObject({ ok: 2, error: 0, skipped: 1 })
  })
})
