import { resultsKey } from '../../src/batch/layout'
import { readPlan } from '../../src/batch/plan/plan'
import { acquireLease, leaseTime, stateOfLease } from '../../src/batch/run/lease'
import { defaultBatchId, parseBatchRequest } from '../../src/batch/run/request'
import { readSummary, writeSummary } from '../../src/batch/summary/summary-object'
import { OpenWhiskError } from '../../src/errors'
import type { Bucket } from '../../src/storage/store'
import {
  advanceClock,
  collect,
  minutes,
  model,
  okRecord,
  savePlan,
  setClock,
  startTestStore,
  type TestStore,
  textOf,
} from './batch-fixtures'
import { newRunner, type Runner, soon } from './batch-runner'

let mockSleep: () => void
jest.mock('node:timers/promises', () => ({ setTimeout: async () => mockSleep() }))

let objects: TestStore
let runner: Runner
let photos: Bucket
let results: Bucket

beforeAll(async () => {
  objects = await startTestStore()
})
afterAll(() => objects.close())
beforeEach(async () => {
  setClock('2026-11-22T08:00:00Z')
  mockSleep = () => advanceClock(minutes(1))
  runner = await newRunner(objects)
  photos = runner.photos
  results = runner.results
})
afterEach(() => jest.useRealTimers())

const start: Runner['start'] = (asked, changes) => runner.start(asked, changes)
const keysOf: Runner['keysOf'] = (batch) => runner.keysOf(batch)

describe('a batch request', () => {
  it('has defaults', () => {
    expect(parseBatchRequest({})).toEqual({
      prefix: '',
      force: false,
      dryRun: false,
      cancel: false,
      retry: false,
      reconcile: false,
    })
  })

  it('is freed of the package’s inputs; the model it asks for is none of them', () => {
    const params = {
      s3Endpoint: 'http://127.0.0.1:9000',
      imagesBucket: 'photos',
      defaultModel: 'one',
      model: 'other',
      resume: true,
    }
    const { model: asked, ...defaults } = parseBatchRequest(params)
    expect(asked).toBe('other')
    expect(defaults).toEqual(parseBatchRequest({}))
  })

  it('takes numerals and booleans for text, as wsk sends what looks like one', () => {
    expect(
      parseBatchRequest({ prefix: 2026, batch: 42, limit: '7', force: 'true', dryRun: '' }),
    ).toMatchObject({
      prefix: '2026',
      batch: '42',
      limit: 7,
      force: true,
      dryRun: false,
    })
  })

  it('takes a year for a date, though wsk sends a number', () => {
    expect(parseBatchRequest({ since: 2026 }).since).toEqual(new Date('2026-01-01T00:00:00Z'))
  })

  it('with a name that does not exist is an error, so that typing mistakes show', () => {
    expect(() => parseBatchRequest({ prefx: 'photos/' })).toThrow(/prefx/)
  })

  it.each(['Uploads', '-x', '.x', 'a/b', 'a b', 'x'.repeat(65), '', 'uploads-2026-11-22', '../x'])(
    'with the id %j is refused',
    (batch) => {
      expect(() => parseBatchRequest({ batch })).toThrow('The batch request is not valid')
    },
  )

  it.each([{ limit: 0 }, { limit: -1 }, { limit: 'x' }, { since: 'x' }, { force: 'x' }, { chunkSize: 1001 }])(
    'with %j is refused',
    (asked) => {
      expect(() => parseBatchRequest(asked)).toThrow('The batch request is not valid')
    },
  )

  it('without an id gets one that sorts by time and differs within a second', () => {
    const id = defaultBatchId(new Date('2026-11-22T07:30:00.999Z'), 'a1b2c3d4e5f6')
    expect(id).toBe('20261122-073000-a1b2c3')
    expect(parseBatchRequest({ batch: id }).batch).toBe(id)
  })
})

describe('starting a batch', () => {
  it('sees it through and fires batch-completed with its summary', async () => {
    for (const key of ['x/a', 'x/b', 'y']) await photos.put(key, 'v1')
    const summary = await start({ batch: 'b1', prefix: 'x/' })
    expect(summary).toMatchObject({ batch: 'b1', state: 'complete', model, totals: { ok: 2, pending: 0 } })
    expect(runner.fired).toEqual([{ trigger: 'batch-completed', params: summary }])
    expect(await keysOf('b1')).toEqual(['x/a', 'x/b'])
    expect(runner.invoked).toEqual([
      {
        name: '/guest/whisklens/classify-images',
        params: { batch: 'b1', chunk: { start: 0, end: 2 }, start: 0, end: 2, model: 'tiny' },
      },
    ])
  })

  it('counts in a dry run what there would be to do, and does nothing', async () => {
    for (const key of ['a', 'b']) await photos.put(key, 'v1')
    expect((await start({ batch: 'b1', dryRun: true })).totals).toMatchObject({
      listed: 2,
      planned: 2,
      skipped: 0,
    })
    expect(runner.invoked).toEqual([])
    expect(await collect(results.list())).toEqual([])
  })

  it('refuses the results bucket as the source: its results would be its images', async () => {
    await expect(start({ bucket: results.name })).rejects.toMatchObject({ code: 'invalid_input' })
  })

  it('tells the second of two how the batch stands', async () => {
    await acquireLease(results, 'b1', 'other')
    await expect(start({ batch: 'b1' })).rejects.toMatchObject({ code: 'invalid_input', retryable: true })
    expect(runner.invoked).toEqual([])
  })
})

describe('a batch that outlasts its activation', () => {
  it('invokes start-batch again, which carries on', async () => {
    for (let number = 0; number < 12; number++) await photos.put(`k${number}`, 'v1')
    runner.openwhisk.invoke = async (name, params) => {
      runner.invoked.push({ name, params })
      return 'a1'
    }
    expect(await start({ batch: 'b1' }, soon(1))).toMatchObject({ exact: false })
    expect(runner.invoked.at(-1)).toEqual({
      name: '/guest/whisklens/start-batch',
      params: { batch: 'b1', resume: true },
    })
    runner.openwhisk.invoke = async (_, params) => {
      await runner.report(params)
      return 'a2'
    }
    for (const { params } of runner.invoked.filter(({ name }) => name.endsWith('classify-images')))
      await runner.report(params)
    expect(await start({ batch: 'b1', resume: true })).toMatchObject({
      state: 'complete',
      totals: { ok: 12 },
    })
    expect(await keysOf('b1')).toHaveLength(12)
  })

  it('keeps to its own bucket, although the next activation is not told of it', async () => {
    const other = await objects.newBucket()
    await photos.put('of the configured bucket', 'v1')
    const keys = ['k0', 'k1', 'k2', 'k3', 'k4', 'k5', 'k6', 'k7', 'k8', 'k9']
    for (const key of keys) await other.put(key, 'v1')
    // Time is up when the first chunk is planned.
    await start({ batch: 'b1', bucket: other.name, chunkSize: 1 }, soon(0))
    expect((await readPlan(results, 'b1'))?.planned).toBe(1)
    await start({ batch: 'b1', resume: true })
    expect(await keysOf('b1')).toEqual(keys)
  })

  it('that somebody has closed meanwhile is not begun again', async () => {
    await photos.put('a', 'v1')
    const summary = await start({ batch: 'b1' })
    runner.invoked.splice(0)
    expect(await start({ batch: 'b1', resume: true })).toEqual(summary)
    expect(await start({ batch: 'b1', cancel: true })).toEqual(summary)
    expect(runner.invoked).toEqual([])
    expect(runner.fired).toHaveLength(1)
    expect(await stateOfLease(results, 'b1')).toBe('free')
    expect(await results.head('batches/b1/cancel.json')).toBeUndefined()
  })

  it('is taken over by whoever fires it again after its activation has died', async () => {
    await photos.put('a', 'v1')
    mockSleep = () => {
      throw new Error('The process is gone')
    }
    await expect(start({ batch: 'b1' })).rejects.toThrow('gone')
    mockSleep = () => advanceClock(minutes(1))
    advanceClock(leaseTime)
    expect(await start({ batch: 'b1' })).toMatchObject({ state: 'complete', totals: { ok: 1 } })
  })

  it('is stopped, and says why, by a failure that no further activation would mend', async () => {
    await photos.put('a', 'v1')
    runner.openwhisk.invoke = async () => {
      throw new OpenWhiskError(404, 'There is no such action')
    }
    await expect(start({ batch: 'b1' })).rejects.toThrow('no such action')
    expect(await readSummary(results, 'b1')).toMatchObject({
      state: 'stopped',
      reason: 'There is no such action',
      endedAt: expect.stringMatching(/^\d{4}-.*Z$/),
      totals: { pending: 1 },
    })
    runner.openwhisk.invoke = async (_, params) => {
      await runner.report(params)
      return 'a1'
    }
    expect(await start({ batch: 'b1' })).toMatchObject({ state: 'complete', totals: { ok: 1 } })
  })
})

describe('what names a batch that does not exist', () => {
  it.each([{ resume: true }, { retry: true }, { cancel: true }])('is refused: %j', async (asked) => {
    await photos.put('a', 'v1')
    await expect(start({ batch: 'typo', ...asked })).rejects.toThrow('There is no batch "typo"')
    expect(runner.invoked).toEqual([])
    expect(await collect(results.list())).toEqual([])
  })
})

describe('a batch that is fired again', () => {
  it('is refused for other images than its own', async () => {
    await photos.put('a/1', 'v1')
    await start({ batch: 'b1', prefix: 'a/' })
    await expect(start({ batch: 'b1', prefix: 'b/' })).rejects.toThrow('is about s3://')
  })

  it('does what was added since, and counts what was not', async () => {
    await photos.put('a', 'v1')
    await start({ batch: 'b1' })
    advanceClock(minutes(20))
    const record = okRecord('a', { bucket: photos.name, etag: (await photos.head('a'))?.etag })
    await results.put(`images/${model}/${photos.name}/a`, JSON.stringify(record))
    await photos.put('b', 'v1')
    const again = await start({ batch: 'b1' })
    expect(again.totals).toMatchObject({ listed: 2, skipped: 1, ok: 2 })
    expect(await keysOf('b1')).toEqual(['a', 'b'])
  })

  it('does all of it again under a model of another version', async () => {
    await photos.put('a', 'v1')
    await start({ batch: 'b1' })
    advanceClock(minutes(20))
    runner.version = 'tiny@ffffffff'
    expect(await start({ batch: 'b1' })).toMatchObject({
      model: runner.version,
      totals: { skipped: 0, ok: 1 },
    })
    expect(await textOf(results, resultsKey('b1', 'results.jsonl'))).toContain(runner.version)
  })

  it('runs the model that it was fired with, else that of the deployment', async () => {
    await photos.put('a', 'v1')
    const described: unknown[] = []
    runner.openwhisk.call = async (_, { model: asked }: { model?: string }) => {
      described.push(asked)
      return { model: `${asked}@00c0ffee` }
    }
    for (const asked of [{ model: 'other' }, { model: '' }, {}])
      await start({ batch: 'b1', force: true, ...asked })
    expect(described).toEqual(['other', 'tiny', 'tiny'])
    expect(runner.invoked.map(({ params }) => (params as { model?: string }).model)).toEqual(described)
  })

  it('asks the sequence for the model of this time', async () => {
    await photos.put('a', 'v1')
    await start({ batch: 'b1' })
    runner.settings = { ...runner.settings, model: 'other' }
    runner.version = 'other@11111111'
    runner.invoked.splice(0)
    await start({ batch: 'b1' })
    expect(runner.invoked).toMatchObject([{ params: { start: 1, end: 2, model: 'other' } }])
  })

  it('goes on with a second pass that was cut off, whatever the summary says', async () => {
    await photos.put('a', 'v1')
    const first = await start({ batch: 'b1' })
    await photos.put('b', 'v1')
    mockSleep = () => {
      throw new Error('The process is gone')
    }
    runner.openwhisk.invoke = async () => 'a1'
    await expect(start({ batch: 'b1', force: true })).rejects.toThrow('gone')
    advanceClock(leaseTime)
    // A late closer of the first pass.
    await writeSummary(results, first)
    mockSleep = () => advanceClock(minutes(1))
    runner.openwhisk.invoke = async (_, params) => {
      await runner.report(params)
      return 'a1'
    }
    expect(await start({ batch: 'b1' })).toMatchObject({ state: 'complete', totals: { ok: 2, pending: 0 } })
    expect(await keysOf('b1')).toEqual(['a', 'b'])
  })

  it('has a new pass also when the last state of its first one was never stored', async () => {
    await photos.put('a', 'v1')
    await start({ batch: 'b1' })
    const plan = await readPlan(results, 'b1')
    if (plan) await savePlan(results, { ...plan, next: 0 })
    await photos.put('b', 'v1')
    runner.invoked.splice(0)
    expect((await start({ batch: 'b1', force: true })).totals).toMatchObject({ listed: 2, ok: 2 })
    expect(runner.invoked).toMatchObject([{ params: { start: 1, end: 3 } }])
  })

  it('shows that it is open again from its first moment', async () => {
    await photos.put('a', 'v1')
    await start({ batch: 'b1' })
    runner.openwhisk.invoke = async () => {
      expect(await readSummary(results, 'b1')).toMatchObject({ exact: false, endedAt: null })
      throw new Error('Seen')
    }
    await expect(start({ batch: 'b1', force: true })).rejects.toThrow('Seen')
  })
})
