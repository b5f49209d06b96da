import { setTimeout as sleep } from 'node:timers/promises'
import { readSummary } from '../../src/batch/reports/summary-object'
import { findOrphans } from '../../src/batch/running/reconcile'
import { defaultBatchId, parseBatchRequest } from '../../src/batch/running/request'
import { acquire } from '../../src/batch/state/acquire'
import { readBatch } from '../../src/batch/state/batch'
import { listOpen } from '../../src/batch/state/open'
import { OpenWhiskError, StorageError } from '../../src/errors'
import { type BatchSummary, batchRequestSchema } from '../../src/schema'
import {
  collect,
  errorRecord,
  minutes,
  model,
  okRecord,
  startTestStore,
  type TestStore,
  watched,
} from './batch-fixtures'
import { newRunner, type Runner, soon } from './batch-runner'

let objects: TestStore
let runner: Runner

beforeAll(async () => {
  objects = await startTestStore()
})
afterAll(() => objects.close())
beforeEach(async () => {
  runner = await newRunner(objects)
})

const listed = (): Promise<string[]> => collect(listOpen(runner.results))
const successors = () => runner.invoked.filter(({ name }) => name.endsWith('/start-batch'))
const chunks = () => runner.invoked.filter(({ name }) => name.endsWith('/classify-images'))

const upload = async (...keys: string[]): Promise<void> => {
  for (const key of keys) await runner.photos.put(key, 'v1')
}

/** Holds the batch like another activation. @returns a function that releases it */
async function hold(batch: string): Promise<() => Promise<void>> {
  const lease = await acquire(runner.context({ id: 'other' }), batch, { isWorker: true, evenConcluded: true })
  if (!lease) throw new Error('The batch is held already')
  return lease.release
}

/** Kills the process: its requests have no effect from now on. */
const die = (): never => {
  throw new Error('The process is gone')
}

/** Kills the activation and lets its lease expire. */
const later = (): void => runner.clock.advance(minutes(1))

describe('a batch request', () => {
  it('has defaults', () => {
    expect(parseBatchRequest({})).toEqual({
      prefix: [''],
      force: false,
      tag: false,
      dryRun: false,
      cancel: false,
      retry: false,
      reconcile: false,
    })
  })

  it('drops the package’s inputs, but not the requested model', () => {
    const params = {
      s3Endpoint: 'http://127.0.0.1:9000',
      imagesBucket: 'photos',
      defaultModel: 'one',
      model: 'other',
    }
    const { model: asked, ...defaults } = parseBatchRequest(params) as { model?: string }
    expect(asked).toBe('other')
    expect(defaults).toEqual(parseBatchRequest({}))
  })

  it('accepts numbers and booleans as text, because wsk converts them', () => {
    const asked = { prefix: 2026, batch: 42, limit: '7', force: 'true', dryRun: '' }
    expect(parseBatchRequest(asked)).toMatchObject({
      prefix: ['2026'],
      batch: '42',
      limit: 7,
      force: true,
      dryRun: false,
    })
  })

  it('accepts a year as a date, although wsk sends a number', () => {
    expect(parseBatchRequest({ since: 2026 })).toMatchObject({ since: new Date('2026-01-01T00:00:00Z') })
  })

  it('refuses unknown parameters, so that typing errors show', () => {
    expect(() => parseBatchRequest({ prefx: 'photos/' })).toThrow(/prefx/)
  })

  it.each(['Uploads', '-x', '.x', 'a/b', 'a b', 'x'.repeat(65), '', 'uploads-2026-11-22', '../x'])(
    'with the id %j is refused',
    (batch) => {
      expect(() => parseBatchRequest({ batch })).toThrow('The batch request is not valid')
    },
  )

  it('accepts several prefixes if none contains another', () => {
    const prefixOf = (prefix: unknown) => batchRequestSchema.parse({ prefix }).prefix
    expect([prefixOf('photos/'), prefixOf(2026), prefixOf(undefined)]).toEqual([['photos/'], ['2026'], ['']])
    expect(prefixOf(['😀', '～', 'a/', 'a/b', 'a/'])).toEqual(['a/', '～', '😀'])
  })

  it('accepts an age or a date, and a list in a bucket', () => {
    expect(() => parseBatchRequest({ newerThan: '7d', since: '2026-01-01' })).toThrow('mutually exclusive')
    expect(() => parseBatchRequest({ newerThan: '7 days' })).toThrow('an age such as 12h, 30d or 8w')
    expect(() => parseBatchRequest({ manifest: 'keys.txt' })).toThrow('expected s3://bucket/key')
  })

  it.each([
    { limit: 0 },
    { limit: -1 },
    { limit: 'x' },
    { since: 'x' },
    { force: 'x' },
    { chunkSize: 1001 },
    { exif: 'all' },
  ])('with %j is refused', (asked) => {
    expect(() => parseBatchRequest(asked)).toThrow('The batch request is not valid')
  })

  it('gets an id that sorts by time and is unique within a second', () => {
    const id = defaultBatchId(Date.parse('2026-11-22T07:30:00.999Z'), 'a1b2c3d4e5f6')
    expect(id).toBe('20261122-073000-a1b2c3')
    expect(parseBatchRequest({ batch: id })).toMatchObject({ batch: id })
  })

  it('rejects reconcile with other parameters and contradicting sizes', () => {
    expect(parseBatchRequest({ reconcile: 'true', defaultModel: 'tiny', s3Endpoint: 'x' })).toMatchObject({
      reconcile: true,
    })
    expect(() => parseBatchRequest({ reconcile: true, prefix: 'x/' })).toThrow('combined with prefix')
    expect(() => parseBatchRequest({ minSize: '2k', maxSize: '1k' })).toThrow('minSize is larger')
  })

  it('may advance a day of uploads, which cannot be fired', () => {
    const advance = { advance: 'uploads-2026-11-21' }
    expect(parseBatchRequest({ ...advance, s3Endpoint: 'x' })).toEqual(advance)
    expect(() => parseBatchRequest({ ...advance, prefix: 'x/' })).toThrow('prefix')
    expect(() => parseBatchRequest({ batch: 'uploads-2026-11-21' })).toThrow('kept for the uploads')
  })
})

describe('firing a batch', () => {
  it.each<{ exif?: string }>([{ exif: 'position' }, {}])(
    'has classify told what to keep of EXIF: %j',
    async (asked) => {
      await upload('x/a')
      await runner.start({ batch: 'b1', ...asked })
      expect(chunks().map(({ params }) => JSON.parse(JSON.stringify(params)).exif)).toEqual([asked.exif])
    },
  )

  it('runs it to the end and fires batch-completed with its summary', async () => {
    await upload('x/a', 'x/b', 'y')
    const summary = await runner.start({ batch: 'b1', prefix: 'x/' })
    expect(summary).toMatchObject({ batch: 'b1', state: 'complete', model, totals: { ok: 2, pending: 0 } })
    expect(runner.fired).toEqual([{ trigger: 'batch-completed', params: summary }])
    expect(await runner.keysOf('b1')).toEqual(['x/a', 'x/b'])
    expect(chunks()).toMatchObject([{ params: { batch: 'b1', start: 0, end: 2, model: 'tiny' } }])
    expect(await listed()).toEqual([])
  })

  it('completes at once when nothing is due', async () => {
    expect(await runner.start({ batch: 'b1' })).toMatchObject({ state: 'complete', totals: { listed: 0 } })
    expect(await runner.keysOf('b1')).toEqual([])
  })

  it('lists it as open until its end is announced', async () => {
    await upload('a')
    const seen: string[][] = []
    const { invoke, fire } = runner.openwhisk
    runner.openwhisk.invoke = async (...message) => {
      seen.push(await listed())
      return invoke(...message)
    }
    runner.openwhisk.fire = async (...message) => {
      seen.push(await listed())
      return fire(...message)
    }
    await runner.start({ batch: 'b1' })
    expect(seen).toEqual([['b1'], ['b1']])
  })

  it('with dryRun counts the work and does nothing', async () => {
    await upload('a', 'b')
    const { totals } = await runner.start({ batch: 'b1', dryRun: true })
    expect(totals).toMatchObject({ listed: 2, planned: 2, skipped: 0 })
    expect(runner.invoked).toEqual([])
    expect(await collect(runner.results.list())).toEqual([])
  })

  it('is refused before anything is written if it would cost too much', async () => {
    await upload('a', 'b')
    runner.settings = { ...runner.settings, gbSecondPrice: '1' }
    await expect(runner.start({ batch: 'b1', maxCost: 0.001 })).rejects.toThrow(
      'A batch of 2 is likely to cost',
    )
    expect(await collect(runner.results.list())).toEqual([])
    expect(await runner.start({ batch: 'b1', maxCost: 100 })).toMatchObject({ state: 'complete' })
  })

  it('refuses the results bucket as the source', async () => {
    await expect(runner.start({ bucket: runner.results.name })).rejects.toMatchObject({
      code: 'bad_parameter',
    })
  })

  it('reports why a batch was stopped permanently; fired again, it resumes', async () => {
    await upload('a')
    const { invoke } = runner.openwhisk
    runner.openwhisk.invoke = async () => {
      throw new OpenWhiskError(404, 'There is no such action')
    }
    const stopped = await runner.start({ batch: 'b1' })
    expect(stopped).toMatchObject({
      state: 'stopped',
      reason: 'There is no such action',
      totals: { pending: 1 },
    })
    expect(runner.fired).toEqual([{ trigger: 'batch-completed', params: stopped }])
    runner.openwhisk.invoke = invoke
    expect(await runner.start({ batch: 'b1' })).toMatchObject({ state: 'complete', totals: { ok: 1 } })
  })

  it('closes it even if batch-completed cannot be fired', async () => {
    await upload('a')
    runner.openwhisk.fire = async () => {
      throw new OpenWhiskError(404, 'There is no such trigger')
    }
    expect(await runner.start({ batch: 'b1' })).toMatchObject({ state: 'complete', totals: { ok: 1 } })
    expect(await listed()).toEqual([])
  })

  it.each([{ retry: true }, { cancel: true }])('requires an existing batch for %j', async (asked) => {
    await expect(runner.start({ batch: 'typo', ...asked })).rejects.toThrow('There is no batch "typo"')
    expect(await collect(runner.results.list())).toEqual([])
  })
})

describe('firing a batch again', () => {
  /** Stores the records of a batch, like `aggregate`. */
  async function storeRecords(batch: string): Promise<void> {
    for (const record of await runner.recordsOf(batch))
      await runner.results.put(`images/${model}/${record.bucket}/${record.key}`, JSON.stringify(record))
  }

  it('is refused for other images', async () => {
    await upload('a/1')
    await runner.start({ batch: 'b1', prefix: 'a/' })
    await expect(runner.start({ batch: 'b1', prefix: 'b/' })).rejects.toMatchObject({
      code: 'batch_differs',
      message: expect.stringContaining('covers s3://'),
    })
  })

  it('is refused while another activation is removing it', async () => {
    await runner.start({ batch: 'b1' })
    const release = await hold('b1')
    await expect(runner.start({ batch: 'b1' })).rejects.toMatchObject({
      code: 'batch_in_use',
      retryable: true,
    })
    await release()
    expect(await runner.start({ batch: 'b1' })).toMatchObject({ state: 'complete' })
  })

  it('classifies what was added or changed since, and counts the rest as skipped', async () => {
    await upload('a', 'b', 'd')
    await runner.start({ batch: 'b1' })
    await storeRecords('b1')
    await upload('c')
    await runner.photos.put('b', 'v2')
    const again = await runner.start({ batch: 'b1' })
    expect(again.totals).toEqual({ listed: 4, planned: 4, skipped: 2, ok: 4, error: 0, pending: 0 })
    expect(chunks().slice(1)).toMatchObject([{ params: { start: 3, end: 5 } }])
    const records = await runner.recordsOf('b1')
    expect(records.map(({ key }) => key)).toEqual(['a', 'b', 'c', 'd'])
    expect(records[1]?.etag).toBe((await runner.photos.head('b'))?.etag)
  })

  it('drops deleted images once everything was listed', async () => {
    await upload('a', 'b', 'c')
    await runner.start({ batch: 'b1' })
    await storeRecords('b1')
    await runner.photos.delete('b')
    expect((await runner.start({ batch: 'b1', include: '*' })).totals).toMatchObject({ listed: 2, ok: 3 })
    expect((await runner.start({ batch: 'b1' })).totals).toMatchObject({ listed: 2, ok: 2, pending: 0 })
    expect(await runner.keysOf('b1')).toEqual(['a', 'c'])
    expect(await runner.results.head(`images/${model}/${runner.photos.name}/b`)).toBeUndefined()
  })

  it('uses the filters of the new request, and keeps earlier results', async () => {
    await upload('a.jpg', 'b.png', 'c.jpg')
    await runner.start({ batch: 'b1', include: '*.jpg', limit: 1 })
    expect(await runner.keysOf('b1')).toEqual(['a.jpg'])
    await storeRecords('b1')
    await runner.start({ batch: 'b1', include: '*.png' })
    expect(await runner.keysOf('b1')).toEqual(['a.jpg', 'b.png'])
  })

  it('with retry redoes failures, even if another batch has records, and stays within the chosen limit', async () => {
    await upload('x/a', 'x/b', 'x/c', 'another')
    runner.recordOf = (key, etag) =>
      key === 'x/b'
        ? errorRecord(key, { code: 'download_failed', retryable: true }, { bucket: runner.photos.name, etag })
        : okRecord(key, { bucket: runner.photos.name, etag })
    expect((await runner.start({ batch: 'b1', prefix: 'x/', force: true, limit: 2 })).totals).toMatchObject({
      ok: 1,
      error: 1,
    })
    runner.recordOf = (key, etag) => okRecord(key, { bucket: runner.photos.name, etag })
    await runner.start({ batch: 'b2' })
    await storeRecords('b2')
    const retried = await runner.start({ batch: 'b1', retry: true })
    expect(retried.totals).toMatchObject({ ok: 2, error: 0, skipped: 1 })
    expect(await runner.keysOf('b1')).toEqual(['x/a', 'x/b'])
    await expect(runner.start({ batch: 'b1', retry: true, include: '*.png' })).rejects.toThrow('include')
  })

  it('uses the current model version', async () => {
    await upload('a')
    await runner.start({ batch: 'b1' })
    await storeRecords('b1')
    runner.settings = { ...runner.settings, model: 'other' }
    runner.version = 'other@ffffffff'
    expect(await runner.start({ batch: 'b1' })).toMatchObject({ model: runner.version, totals: { ok: 1 } })
    expect(await runner.recordsOf('b1')).toMatchObject([{ key: 'a', model: runner.version }])
  })

  it('runs the requested model, else that of the deployment', async () => {
    await upload('a')
    const described: unknown[] = []
    runner.openwhisk.call = async (_, params) => {
      const { model: asked } = params as { model?: string }
      described.push(asked)
      return { model: `${asked}@00c0ffee` }
    }
    for (const asked of [{ model: 'other' }, { model: '' }, {}])
      await runner.start({ batch: 'b1', force: true, ...asked })
    expect(described).toEqual(['other', 'tiny', 'tiny'])
    expect(chunks().map(({ params }) => (params as { model?: string }).model)).toEqual(described)
  })

  it('while it is closing queues another run for after the announcement', async () => {
    await upload('a')
    let again: Promise<unknown> | undefined
    const { fire } = runner.openwhisk
    runner.openwhisk.fire = async (...message) => {
      runner.openwhisk.fire = fire
      await upload('b')
      again = runner.start({ batch: 'b1', force: true })
      while (!(await readBatch(runner.results, 'b1'))?.queued) await sleep(1)
      return fire(...message)
    }
    expect((await runner.start({ batch: 'b1', force: true })).totals.ok).toBe(2)
    await again
    expect(runner.fired).toMatchObject([{ params: { totals: { ok: 1 } } }, { params: { totals: { ok: 2 } } }])
    expect(await readBatch(runner.results, 'b1')).toMatchObject({ run: 2, status: 'complete' })
  })

  it('shows it as open from the first moment', async () => {
    await upload('a')
    await runner.start({ batch: 'b1' })
    const seen: (BatchSummary | undefined)[] = []
    const { invoke } = runner.openwhisk
    runner.openwhisk.invoke = async (...message) => {
      seen.push(await readSummary(runner.results, 'b1'))
      return invoke(...message)
    }
    await runner.start({ batch: 'b1', force: true })
    expect(seen).toMatchObject([{ exact: false, endedAt: null }])
  })

  it('while it is open is refused with other filters, and changes nothing with the same', async () => {
    await upload('a.jpg')
    runner.openwhisk.invoke = async () => 'a1'
    await runner.start({ batch: 'b1', include: '*.jpg' }, soon(runner))
    await hold('b1')
    await expect(runner.start({ batch: 'b1', include: '*.jpg', minSize: '1k' })).rejects.toThrow(
      'The batch "b1" is open with different values of minSize',
    )
    const before = await readBatch(runner.results, 'b1')
    expect(await runner.start({ batch: 'b1', include: '*.jpg' })).toMatchObject({ state: 'running' })
    expect((await readBatch(runner.results, 'b1'))?.run).toBe(before?.run)
  })
})

describe('a batch that outlasts its activation', () => {
  it('is handed over to another, which continues', async () => {
    await upload('a', 'b', 'c')
    runner.openwhisk.invoke = async (name, params) => `a${runner.invoked.push({ name, params })}`
    expect(await runner.start({ batch: 'b1', chunkSize: 1 }, soon(runner))).toMatchObject({ exact: false })
    expect(successors()).toEqual([{ name: '/guest/whisklens/start-batch', params: { advance: 'b1' } }])
    for (const { params } of chunks()) await runner.report(params)
    expect(await runner.start({ advance: 'b1' })).toMatchObject({ state: 'complete', totals: { ok: 3 } })
    expect(await runner.keysOf('b1')).toEqual(['a', 'b', 'c'])
    expect(chunks()).toHaveLength(3)
  })

  it('keeps its bucket even if the next activation has other settings', async () => {
    const other = await objects.newBucket()
    for (const key of ['a', 'b']) await other.put(key, 'v1')
    await upload('of the configured bucket')
    await runner.start({ batch: 'b1', bucket: other.name }, { deadline: 0 })
    await runner.start({ advance: 'b1' })
    expect(await runner.keysOf('b1')).toEqual(['a', 'b'])
  })

  it('waits for the next minute when the platform’s limit is used up', async () => {
    await upload('a')
    const asked: number[] = []
    runner.openwhisk.invoke = async (name, params) => {
      if (!name.endsWith('/start-batch')) return 'a1'
      asked.push(runner.clock.now())
      if (asked.length === 1) {
        throw new OpenWhiskError(429, 'Too many requests in the last minute (count: 61, allowed: 60).', {
          retryable: true,
        })
      }
      runner.invoked.push({ name, params })
      return 'a2'
    }
    await runner.start({ batch: 'b1' }, soon(runner))
    const [refused = 0, taken = 0] = asked
    expect(Math.floor(taken / 60_000)).toBe(Math.floor(refused / 60_000) + 1)
    expect((await readBatch(runner.results, 'b1'))?.lease.phase).toBe('yielding')
  })

  it('that has ended is not started again by other messages', async () => {
    await upload('a')
    const summary = await runner.start({ batch: 'b1' })
    runner.invoked.splice(0)
    expect(await runner.start({ advance: 'b1' })).toEqual(summary)
    expect(await runner.start({ batch: 'b1', cancel: true })).toEqual(summary)
    expect(runner.invoked).toEqual([])
    expect(runner.fired).toHaveLength(1)
  })
})

describe('a batch of images of an age', () => {
  it('counts the age from each fire, and stays the same batch meanwhile', async () => {
    await upload('a')
    runner.clock.advance(minutes(8 * 24 * 60))
    expect(await runner.start({ batch: 'old', newerThan: '7d' })).toMatchObject({ totals: { listed: 0 } })
    expect(await runner.start({ batch: 'b1', newerThan: '2w' }, soon(runner, -90_000))).toMatchObject({
      state: 'planning',
    })
    runner.clock.advance(minutes(1))
    expect(await runner.start({ batch: 'b1', newerThan: '2w' })).toMatchObject({
      totals: { listed: 1, ok: 1 },
    })
    await expect(runner.start({ batch: 'b1', newerThan: '1w', dryRun: true })).resolves.toMatchObject({
      totals: { listed: 0 },
    })
  })
})

describe('a batch whose activation died', () => {
  it.each<[string, (runner: Runner) => void]>([
    ['before the model was known', ({ openwhisk }) => (openwhisk.call = die)],
    ['before anything was dispatched', ({ openwhisk }) => (openwhisk.invoke = die)],
    ['before its end was announced', ({ openwhisk }) => (openwhisk.fire = die)],
  ])('%s completes once it is found', async (_, kill) => {
    await upload('x/a.jpg', 'x/b.jpg', 'x/c.png', 'y.jpg')
    const { openwhisk } = runner
    runner.openwhisk = { ...openwhisk }
    kill(runner)
    const asked = { batch: 'b1', prefix: 'x/', include: '*.jpg', since: '2026-01-01', minSize: '2' }
    await expect(runner.start(asked)).rejects.toThrow('gone')
    runner.openwhisk = openwhisk
    await openwhisk.invoke('none', {})
    runner.invoked.splice(0)
    // A dead process releases nothing.
    const found = await readBatch(runner.results, 'b1')
    expect(found).toBeDefined()
    later()
    expect(await runner.start({ advance: 'b1' })).toMatchObject({ state: 'complete', totals: { ok: 2 } })
    expect(await runner.keysOf('b1')).toEqual(['x/a.jpg', 'x/b.jpg'])
    expect(runner.fired).toHaveLength(1)
    expect(await listed()).toEqual([])
  })

  it('is taken over when its lease has expired', async () => {
    await upload('a')
    runner.openwhisk.invoke = async () => 'lost'
    await runner.start({ batch: 'b1' }, soon(runner))
    await hold('b1')
    const began = runner.clock.now()
    await runner.start({ advance: 'b1' }, { id: 'next', ...soon(runner, 60_000) })
    expect(runner.clock.now() - began).toBeGreaterThan(20_000)
    expect((await readBatch(runner.results, 'b1'))?.lease.epoch).toBe(3)
  })

  it('is skipped by reconciling while its lease is held or was just released', async () => {
    await upload('a')
    runner.openwhisk.invoke = async () => 'a1'
    await runner.start({ batch: 'b1' }, soon(runner))
    expect(await findOrphans(runner.context())).toEqual([])
    await hold('b1')
    expect(await findOrphans(runner.context())).toEqual([])
  })
})

describe('a transient failure', () => {
  const down = () => {
    throw new StorageError('store_failed', 503, 'Slow down', { retryable: true })
  }

  function failWhere(isDown: (key: string) => boolean): void {
    runner.store = {
      bucket: (name) => watched(objects.store.bucket(name), ({ key }) => isDown(key) && down()),
    }
  }

  const recover = (): void => {
    runner.store = objects.store
  }

  it('during planning is retried by another activation, which completes the batch', async () => {
    await upload('a')
    failWhere((key) => key.includes('/chunks/'))
    await expect(runner.start({ batch: 'b1' })).rejects.toThrow('Slow down')
    expect(successors()).toMatchObject([{ params: { advance: 'b1', failed: 0 + 1 } }])
    recover()
    expect(await runner.start(successors()[0]?.params ?? {})).toMatchObject({ state: 'complete' })
  })

  it('before the batch exists is retried with the original request', async () => {
    await upload('a', 'x/b')
    failWhere(() => true)
    await expect(runner.start({ prefix: 'x/', since: '2026-01-01', minSize: '1' })).rejects.toThrow(
      'Slow down',
    )
    const [again] = successors()
    expect(again).toMatchObject({ params: { prefix: ['x/'], failed: 1 } })
    recover()
    const summary = await runner.start(again?.params ?? {})
    expect(summary).toMatchObject({ state: 'complete', totals: { listed: 1, ok: 1 } })
  })

  it('is not retried endlessly, and not at all in a dry run', async () => {
    failWhere(() => true)
    await expect(runner.start({ advance: 'b1', failed: 1 })).rejects.toThrow('Slow down')
    expect(successors()).toMatchObject([{ params: { failed: 2 } }])
    await expect(runner.start({ advance: 'b1', failed: 8 })).rejects.toThrow('Slow down')
    await expect(runner.start({ batch: 'b1', dryRun: true })).rejects.toThrow('Slow down')
    expect(successors()).toHaveLength(1)
  })
})

describe('cancelling a batch', () => {
  /** Begins a batch of three chunks, none of which has reported. */
  async function begin(): Promise<void> {
    await upload('a', 'b', 'c')
    const { invoke } = runner.openwhisk
    runner.openwhisk.invoke = async (name, params) => `a${runner.invoked.push({ name, params })}`
    await runner.start({ batch: 'b1', chunkSize: 1 }, soon(runner))
    runner.openwhisk.invoke = invoke
  }

  it('ends it with the results so far; firing it again resumes', async () => {
    await begin()
    await runner.report(chunks()[1]?.params ?? {})
    const summary = await runner.start({ batch: 'b1', cancel: true })
    expect(summary).toMatchObject({ state: 'cancelled', totals: { planned: 3, ok: 1, pending: 2 } })
    expect(await runner.keysOf('b1')).toEqual(['b'])
    // Late reports of pieces in flight count, and are not repeated. The rest is known to have died.
    runner.openwhisk.resultOf = async () => ({})
    await runner.report(chunks()[0]?.params ?? {})
    expect(await runner.start({ batch: 'b1', chunkSize: 1 })).toMatchObject({
      state: 'complete',
      totals: { planned: 3, ok: 3, pending: 0 },
    })
    expect(await runner.keysOf('b1')).toEqual(['a', 'b', 'c'])
  })

  it('is revoked by a later fire', async () => {
    await begin()
    const release = await hold('b1')
    await runner.start({ batch: 'b1', cancel: true })
    expect((await readBatch(runner.results, 'b1'))?.cancelRequested).toBe(true)
    await release()
    for (const { params } of chunks()) await runner.report(params)
    expect(await runner.start({ batch: 'b1', chunkSize: 1 })).toMatchObject({ state: 'complete' })
  })

  it('refuses other filters when resuming', async () => {
    await begin()
    await runner.start({ batch: 'b1', cancel: true })
    await expect(runner.start({ batch: 'b1', include: '*.jpg' })).rejects.toThrow('include')
    await expect(runner.start({ batch: 'b1', retry: true, limit: 1 })).rejects.toThrow('limit')
  })
})

describe('maxErrors', () => {
  const failing = (isBad: (key: string) => boolean) => (key: string, etag: string | null) =>
    (isBad(key) ? errorRecord : okRecord)(key, {}, { bucket: runner.photos.name, etag })

  beforeEach(() => upload(...Array.from({ length: 60 }, (_, n) => `k${String(n).padStart(2, '0')}`)))

  it('stops the fan-out when exceeded, and keeps the results', async () => {
    runner.recordOf = failing((key) => key < 'k06') as Runner['recordOf']
    const summary = await runner.start({ batch: 'b1', chunkSize: 1, maxErrors: '2' })
    expect(summary).toMatchObject({ state: 'stopped', reason: expect.stringContaining('maxErrors (2)') })
    const { ok, error, pending } = summary.totals
    expect(error).toBeGreaterThan(2)
    expect(pending).toBeGreaterThan(0)
    expect(await runner.keysOf('b1')).toHaveLength(ok + error)
  })

  it('does not stop it when just reached', async () => {
    runner.recordOf = failing((key) => key < 'k02') as Runner['recordOf']
    const summary = await runner.start({ batch: 'b1', chunkSize: 1, maxErrors: '2' })
    expect(summary).not.toHaveProperty('reason')
    expect(summary).toMatchObject({ state: 'complete', totals: { ok: 58, error: 2 } })
  })
})
