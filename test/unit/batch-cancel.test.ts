import { requestCancel } from '../../src/batch/run/ending'
import { acquireLease } from '../../src/batch/run/lease'
import { parseBatchRequest } from '../../src/batch/run/request'
import { startBatch } from '../../src/batch/run/start'
import { OpenWhiskError } from '../../src/errors'
import {
  advanceClock,
  listing,
  minutes,
  planOf,
  savePlan,
  setClock,
  startTestStore,
  type TestStore,
} from './batch-fixtures'
import { newRunner, type Runner } from './batch-runner'

let mockSleep: () => void
jest.mock('node:timers/promises', () => ({ setTimeout: async () => mockSleep() }))

let objects: TestStore
let runner: Runner

beforeAll(async () => {
  objects = await startTestStore()
})
afterAll(() => objects.close())
beforeEach(async () => {
  listed.mockClear()
  setClock('2026-11-22T08:00:00Z')
  mockSleep = () => advanceClock(2000)
  runner = await newRunner(objects)
  await runner.photos.put('a', 'v1')
})
afterEach(() => jest.useRealTimers())

const listed = jest.fn()

/** One activation of `start-batch` that dies when it begins to list the images. */
async function startDying(asked: { batch: string; resume?: boolean; cancel?: boolean }) {
  const { openwhisk, photos, settings } = runner
  const deadly = listing(photos, () => {
    listed()
    throw new Error('It died')
  })
  const bucket = (name: string) => (name === photos.name ? deadly : objects.store.bucket(name))
  return startBatch(
    { ...parseBatchRequest(asked), resume: asked.resume },
    settings,
    {
      id: 'c1',
      deadline: Date.now() + minutes(5),
      namespace: 'guest',
      actionName: '/guest/whisklens/start-batch',
    },
    { store: { ...objects.store, bucket }, openwhisk, impatient: openwhisk },
  )
}

describe('a cancel', () => {
  it('ends a batch whose planning kills each activation, and plans nothing itself', async () => {
    await savePlan(runner.results, planOf(runner.photos.name))
    // The one before died of it, and its lease has yet to run out.
    await acquireLease(runner.results, 'b1', 'dead')
    expect(await startDying({ batch: 'b1', cancel: true })).toMatchObject({ state: 'cancelled' })
    expect(listed).not.toHaveBeenCalled()
  })

  it('ends it in whichever activation carries the batch on', async () => {
    await savePlan(runner.results, planOf(runner.photos.name))
    await requestCancel(runner.results, 'b1')
    expect(await startDying({ batch: 'b1', resume: true })).toMatchObject({ state: 'cancelled' })
    expect(listed).not.toHaveBeenCalled()
  })

  it('holds when the activation that was fired before it failed, and another tries again', async () => {
    const { call } = runner.openwhisk
    runner.openwhisk.call = () => Promise.reject(new OpenWhiskError(503, 'Slow down', { retryable: true }))
    await expect(runner.start({ batch: 'b1' })).rejects.toThrow('Slow down')
    advanceClock(minutes(1))
    await requestCancel(runner.results, 'b1')
    advanceClock(minutes(1))
    runner.openwhisk.call = call
    const [again] = runner.invoked
    expect(await runner.start({ ...again?.params })).toMatchObject({ state: 'cancelled', totals: { ok: 0 } })
  })

  it('of a round that is over says nothing about the next', async () => {
    await runner.start({ batch: 'b1' })
    await requestCancel(runner.results, 'b1')
    advanceClock(minutes(1))
    expect(await runner.start({ batch: 'b1', force: true })).toMatchObject({ state: 'complete' })
  })
})
