import { closeBatch } from '../../src/batch/close/close'
import { readPlan } from '../../src/batch/plan/plan'
import { leaseTime } from '../../src/batch/run/lease'
import { listOpen, markOpen } from '../../src/batch/run/open'
import { findOrphans } from '../../src/batch/run/orphans'
import { readSummary } from '../../src/batch/summary/summary-object'
import { OpenWhiskError } from '../../src/errors'
import type { OpenWhisk } from '../../src/openwhisk/client'
import { advanceClock, collect, minutes, setClock, startTestStore, type TestStore } from './batch-fixtures'
import { newRunner, type Runner, soon } from './batch-runner'

let mockSleep: () => void | Promise<void>
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
  for (const key of ['a', 'b']) await runner.photos.put(key, 'v1')
})
afterEach(() => jest.useRealTimers())

const marked = (): Promise<string[]> => collect(listOpen(runner.results))

const die = (): never => {
  throw new Error('The process is gone')
}

describe('the marker of a batch', () => {
  it('is there before its plan, and until its end was told', async () => {
    const seen: string[][] = []
    runner.openwhisk.invoke = async (_, message) => {
      seen.push(await marked())
      await runner.report(message)
      return 'a1'
    }
    runner.openwhisk.fire = async () => {
      seen.push(await marked())
      return undefined
    }
    await runner.start({ batch: 'b1' })
    expect(seen).toEqual([['b1'], ['b1']])
    expect(await marked()).toEqual([])
  })

  it('stays while the batch goes on in another activation', async () => {
    runner.openwhisk.invoke = async () => 'a1'
    await runner.start({ batch: 'b1' }, soon(0))
    expect(await marked()).toEqual(['b1'])
  })

  it('is not there for a dry run, nor for a batch that is refused', async () => {
    await runner.start({ batch: 'b1', dryRun: true })
    await expect(runner.start({ batch: 'b2', retry: true })).rejects.toThrow('There is no batch')
    expect(await marked()).toEqual([])
  })

  it('of a batch that never had a plan goes when it is to be carried on', async () => {
    await markOpen(runner.results, 'b1')
    await expect(runner.start({ batch: 'b1', resume: true })).rejects.toThrow('There is no batch "b1"')
    expect(await marked()).toEqual([])
  })
})

describe('a batch whose first activation died before it had a plan', () => {
  let call: OpenWhisk['call']
  beforeEach(() => {
    call = runner.openwhisk.call
    runner.openwhisk.call = die
  })

  /** What a reconciliation does, some time later. */
  async function reconcileLater(): Promise<void> {
    runner.openwhisk.call = call
    advanceClock(leaseTime)
    for (const batch of await findOrphans(runner.results)) await runner.start({ batch, resume: true })
  }

  it('is begun by the next one, as it was asked for', async () => {
    for (const key of ['x/1.jpg', 'x/2.jpg', 'x/2.png']) await runner.photos.put(key, 'v1')
    const asked = {
      batch: 'b1',
      prefix: 'x/',
      include: '*.jpg',
      since: '2026-01-01',
      minSize: '2',
      sample: '100%',
    }
    await expect(runner.start(asked)).rejects.toThrow('gone')
    expect([await marked(), await readPlan(runner.results, 'b1')]).toEqual([['b1'], undefined])
    await reconcileLater()
    expect(await runner.keysOf('b1')).toEqual(['x/1.jpg', 'x/2.jpg'])
    expect(runner.fired).toMatchObject([{ params: { state: 'complete', totals: { listed: 2, ok: 2 } } }])
    expect(await marked()).toEqual([])
  })

  it('keeps to the bucket it was asked for', async () => {
    const { name } = await objects.newBucket()
    await objects.store.bucket(name).put('other', 'v1')
    await expect(runner.start({ batch: 'b1', bucket: name })).rejects.toThrow('gone')
    await reconcileLater()
    expect(await runner.keysOf('b1')).toEqual(['other'])
  })

  it('is gone on with where it was a further pass, and not when that is done', async () => {
    runner.openwhisk.call = call
    await runner.start({ batch: 'b1' })
    runner.openwhisk.call = die
    await expect(runner.start({ batch: 'b1', force: true })).rejects.toThrow('gone')
    expect(runner.fired).toHaveLength(1)
    await reconcileLater()
    expect((await readPlan(runner.results, 'b1'))?.passes).toEqual([0, 2])
    expect(runner.fired).toHaveLength(2)
    await markOpen(runner.results, 'b1')
    await reconcileLater()
    expect((await readPlan(runner.results, 'b1'))?.passes).toEqual([0, 2])
  })

  it('does not begin anew what it has begun, when it is closed by another and nobody told of it', async () => {
    runner.openwhisk.call = call
    const { fire } = runner.openwhisk
    runner.openwhisk.fire = die
    await expect(runner.start({ batch: 'b1' })).rejects.toThrow('gone')
    runner.openwhisk.fire = fire
    await reconcileLater()
    expect((await readPlan(runner.results, 'b1'))?.passes).toEqual([0])
    expect(runner.fired).toHaveLength(1)
  })

  it('is begun by the activation after it where the platform failed in passing', async () => {
    runner.openwhisk.call = async () => {
      throw new OpenWhiskError(503, 'No invokers', { retryable: true })
    }
    await expect(runner.start({ batch: 'b1' })).rejects.toThrow('No invokers')
    const next = { batch: 'b1', resume: true, failed: 1 }
    expect(runner.invoked).toEqual([{ name: '/guest/whisklens/start-batch', params: next }])
    runner.openwhisk.call = call
    expect(await runner.start(next)).toMatchObject({ state: 'complete', totals: { ok: 2 } })
  })

  it('is left alone where no other could begin it', async () => {
    runner.openwhisk.call = async () => {
      throw new OpenWhiskError(404, 'There is no such action')
    }
    await expect(runner.start({ batch: 'b1' })).rejects.toThrow('no such action')
    expect(await marked()).toEqual([])
  })

  it('can be cancelled', async () => {
    await expect(runner.start({ batch: 'b1' })).rejects.toThrow('gone')
    runner.openwhisk.call = call
    expect(await runner.start({ batch: 'b1', cancel: true })).toMatchObject({ state: 'cancelled' })
    expect(runner.invoked).toEqual([])
    expect(await marked()).toEqual([])
  })

  it('is about what it is asked for when it is fired again', async () => {
    await expect(runner.start({ batch: 'b1', prefix: 'a' })).rejects.toThrow('gone')
    runner.openwhisk.call = call
    advanceClock(leaseTime)
    await runner.start({ batch: 'b1', prefix: 'b' })
    expect(await runner.keysOf('b1')).toEqual(['b'])
  })
})

describe('the end of a batch', () => {
  it('is told by the next activation where the one that closed it died before it could', async () => {
    const { fire } = runner.openwhisk
    runner.openwhisk.fire = die
    await expect(runner.start({ batch: 'b1' })).rejects.toThrow('gone')
    const closed = await readSummary(runner.results, 'b1')
    expect(closed?.state).toBe('complete')
    advanceClock(leaseTime)
    expect(await findOrphans(runner.results)).toEqual(['b1'])
    runner.openwhisk.fire = fire
    expect(await runner.start({ batch: 'b1', resume: true })).toEqual(closed)
    expect(runner.fired).toEqual([{ trigger: 'batch-completed', params: closed }])
    expect(await findOrphans(runner.results)).toEqual([])
  })

  it('is told before a further pass begins', async () => {
    const { fire } = runner.openwhisk
    runner.openwhisk.fire = die
    await expect(runner.start({ batch: 'b1' })).rejects.toThrow('gone')
    runner.openwhisk.fire = fire
    advanceClock(leaseTime)
    await runner.photos.put('c', 'v1')
    await runner.start({ batch: 'b1', force: true })
    expect(runner.fired.map(({ params }) => params)).toMatchObject([
      { totals: { ok: 2 } },
      { totals: { ok: 3 } },
    ])
    expect(await marked()).toEqual([])
  })

  /** `aggregate` closes the batch as soon as all has reported, ahead of `start-batch`. */
  async function closeFirst(): Promise<void> {
    const plan = await readPlan(runner.results, 'b1')
    if (plan?.done) await closeBatch(runner.results, plan)
  }

  it('is not told once more by start-batch where aggregate was faster', async () => {
    runner.openwhisk.invoke = async (_, message) => {
      await runner.report(message)
      await closeFirst()
      return 'a1'
    }
    let waited = false
    mockSleep = async () => {
      advanceClock(1000)
      if ((await readSummary(runner.results, 'b1'))?.state !== 'complete' || waited) return
      waited = true
      await runner.openwhisk.fire('batch-completed', { by: 'aggregate' })
      await runner.results.delete('open/b1')
    }
    expect(await runner.start({ batch: 'b1' })).toMatchObject({ state: 'complete' })
    expect(runner.fired).toEqual([{ trigger: 'batch-completed', params: { by: 'aggregate' } }])
  })

  it('is told by start-batch where aggregate closed the batch and died', async () => {
    runner.openwhisk.invoke = async (_, message) => {
      await runner.report(message)
      await closeFirst()
      return 'a1'
    }
    const summary = await runner.start({ batch: 'b1' })
    expect(runner.fired).toEqual([{ trigger: 'batch-completed', params: summary }])
    expect(await marked()).toEqual([])
  })

  it('is told also when it was a failure', async () => {
    runner.openwhisk.invoke = async () => {
      throw new OpenWhiskError(404, 'There is no such action')
    }
    await expect(runner.start({ batch: 'b1' })).rejects.toThrow('no such action')
    expect(runner.fired).toMatchObject([{ params: { state: 'stopped', reason: 'There is no such action' } }])
    expect(await marked()).toEqual([])
  })

  it('does not wait for a trigger that is not there', async () => {
    runner.openwhisk.fire = async () => {
      throw new OpenWhiskError(404, 'There is no such trigger')
    }
    expect(await runner.start({ batch: 'b1' })).toMatchObject({ state: 'complete', totals: { ok: 2 } })
    expect(await marked()).toEqual([])
  })

  it('that could not be told for the moment is told later', async () => {
    const { fire } = runner.openwhisk
    runner.openwhisk.fire = async () => {
      throw new OpenWhiskError(429, 'Too many requests', { retryable: true })
    }
    await expect(runner.start({ batch: 'b1' })).rejects.toThrow('Too many requests')
    advanceClock(minutes(1))
    expect(await findOrphans(runner.results)).toEqual(['b1'])
    runner.openwhisk.fire = fire
    await runner.start({ batch: 'b1', resume: true })
    expect(runner.fired).toHaveLength(1)
  })
})

describe('a batch that is fired again just when it is closed', () => {
  it('gets its further pass once whoever closed it has left', async () => {
    await runner.start({ batch: 'b1' })
    const { fire } = runner.openwhisk
    let again: Promise<unknown> | undefined
    runner.openwhisk.fire = (trigger, params) => {
      runner.openwhisk.fire = fire
      again = runner.start({ batch: 'b1', force: true })
      return fire(trigger, params)
    }
    await runner.start({ batch: 'b1', force: true })
    await again
    expect(runner.fired).toHaveLength(3)
    expect((await readPlan(runner.results, 'b1'))?.passes).toEqual([0, 2, 4])
  })
})
