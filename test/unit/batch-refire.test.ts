import { recordKey } from '../../src/batch/layout'
import { readPlan } from '../../src/batch/plan/plan'
import { acquireLease } from '../../src/batch/run/lease'
import { reconcile } from '../../src/batch/run/orphans'
import { parseBatchRequest } from '../../src/batch/run/request'
import {
  advanceClock,
  minutes,
  model,
  okRecord,
  savePlan,
  setClock,
  startTestStore,
  type TestStore,
} from './batch-fixtures'
import { newRunner, type Runner, soon } from './batch-runner'

let mockSleep: () => void
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
  for (const key of ['a.jpg', 'b.png', 'c.jpg', 'd.jpg']) await runner.photos.put(key, 'v1')
})
afterEach(() => jest.useRealTimers())

/** Keeps the records of what a batch has done, as `aggregate` does. */
async function keepRecords(batch: string): Promise<void> {
  advanceClock(minutes(20))
  for (const key of await runner.keysOf(batch)) {
    const record = okRecord(key, { bucket: runner.photos.name })
    await runner.results.put(recordKey(model, record), JSON.stringify(record))
  }
}

describe('a closed batch that is fired again', () => {
  it('goes by the filters of the new request', async () => {
    await runner.start({ batch: 'b1', include: '*.jpg', limit: 1 })
    expect(await runner.keysOf('b1')).toEqual(['a.jpg'])
    await keepRecords('b1')
    await runner.start({ batch: 'b1', include: '*.png' })
    expect(await runner.keysOf('b1')).toEqual(['a.jpg', 'b.png'])
    await keepRecords('b1')
    await runner.start({ batch: 'b1' })
    expect(await runner.keysOf('b1')).toEqual(['a.jpg', 'b.png', 'c.jpg', 'd.jpg'])
  })

  it('leaves out images that are gone, once it has looked at all there are', async () => {
    await runner.start({ batch: 'b1' })
    await keepRecords('b1')
    await runner.photos.delete('b.png')
    expect((await runner.start({ batch: 'b1', include: '*' })).totals).toMatchObject({ listed: 3, ok: 4 })
    expect((await runner.start({ batch: 'b1' })).totals).toMatchObject({
      listed: 3,
      skipped: 3,
      ok: 3,
      pending: 0,
    })
    expect(await runner.keysOf('b1')).toEqual(['a.jpg', 'c.jpg', 'd.jpg'])
    await runner.photos.put('b.png', 'v2')
    expect((await runner.start({ batch: 'b1' })).totals.ok).toBe(4)
  })

  it('to be retried, does not go beyond the images that its limit chose', async () => {
    await runner.start({ batch: 'b1', include: '*.jpg', limit: 2 })
    await runner.start({ batch: 'b1', retry: true })
    expect(await runner.keysOf('b1')).toEqual(['a.jpg', 'c.jpg'])
    await expect(runner.start({ batch: 'b1', retry: true, include: '*.png' })).rejects.toThrow('include')
  })
})

describe('other filters are refused', () => {
  const differing = { batch: 'b1', include: '*.jpg', minSize: '1k' }

  it('while somebody is in charge of the batch', async () => {
    runner.openwhisk.invoke = async () => 'a1'
    await runner.start({ batch: 'b1', include: '*.jpg' }, soon(0))
    await acquireLease(runner.results, 'b1', 'somebody')
    await expect(runner.start(differing)).rejects.toMatchObject({
      code: 'invalid_input',
      message: 'The batch "b1" goes on, and was fired with another minSize',
    })
    expect(await runner.start({ batch: 'b1', include: '*.jpg' })).toMatchObject({ batch: 'b1' })
  })

  it('of a batch that was ended early, which goes on where it stood, and so does its cancelling', async () => {
    await runner.start({ batch: 'b1', include: '*.jpg', chunkSize: 1 }, soon(0))
    await runner.start({ batch: 'b1', cancel: true })
    expect((await readPlan(runner.results, 'b1'))?.ended).toBe('cancelled')
    await expect(runner.start({ batch: 'b1' })).rejects.toThrow('include')
    await expect(runner.start({ batch: 'b1', retry: true, limit: 1 })).rejects.toThrow('limit')
    expect(await runner.start({ batch: 'b1', include: '*.jpg' })).toMatchObject({ state: 'complete' })
    expect(await runner.keysOf('b1')).toEqual(['a.jpg', 'c.jpg', 'd.jpg'])
  })
})

describe('a batch that was ended early and never closed', () => {
  /** Whoever was in charge died between the two. */
  async function endEarly(): Promise<void> {
    await runner.start({ batch: 'b1', chunkSize: 1 }, soon(0))
    const plan = await readPlan(runner.results, 'b1')
    if (plan) await savePlan(runner.results, { ...plan, ended: 'cancelled' })
  }

  it('is closed as it is by whoever is to carry it on', async () => {
    await endEarly()
    expect(await runner.start({ batch: 'b1', resume: true })).toMatchObject({ state: 'cancelled' })
    expect((await readPlan(runner.results, 'b1'))?.done).toBe(false)
  })

  it('goes on when it is fired again', async () => {
    await endEarly()
    expect(await runner.start({ batch: 'b1' })).toMatchObject({ state: 'complete', totals: { ok: 4 } })
  })
})

describe('a request to reconcile', () => {
  it('goes alone', () => {
    expect(parseBatchRequest({ reconcile: 'true', defaultModel: 'tiny', s3Endpoint: 'x' })).toMatchObject({
      reconcile: true,
    })
    expect(() => parseBatchRequest({ reconcile: true, prefix: 'x/' })).toThrow('without prefix')
    expect(() => parseBatchRequest({ reconcile: true, batch: 'b1' })).toThrow('without batch')
  })

  it('has a batch come to its end whose activations all died', async () => {
    mockSleep = () => {
      throw new Error('The process is gone')
    }
    const { invoke } = runner.openwhisk
    runner.openwhisk.invoke = async () => 'lost'
    await expect(runner.start({ batch: 'b1' })).rejects.toThrow('gone')
    mockSleep = () => advanceClock(minutes(1))
    advanceClock(minutes(1))
    const asked: object[] = []
    const openwhisk = {
      ...runner.openwhisk,
      invoke: async (_: string, params: object) => {
        asked.push(params)
        return 'a2'
      },
    }
    expect(await reconcile(runner.results, openwhisk, 'start-batch')).toEqual({ resumed: ['b1'] })
    runner.openwhisk.invoke = invoke
    expect(await runner.start(asked[0] ?? {})).toMatchObject({ state: 'complete', totals: { ok: 4 } })
    expect(await reconcile(runner.results, openwhisk, 'start-batch')).toEqual({ resumed: [] })
  })
})

describe('a request whose words are at odds', () => {
  it('is refused', () => {
    expect(() => parseBatchRequest({ minSize: '2k', maxSize: '1k' })).toThrow(
      'minSize is larger than maxSize',
    )
  })

  it('may name the uploads of a day only to carry them on', () => {
    expect(parseBatchRequest({ batch: 'uploads-2026-11-21', resume: true }).batch).toBe('uploads-2026-11-21')
    expect(() => parseBatchRequest({ batch: 'uploads-2026-11-21', resume: 'true' })).toThrow(
      'kept for the uploads',
    )
  })
})
