import { setTimeout as sleep } from 'node:timers/promises'
import { summaryKey } from '../../src/batch/layout'
import { readPlan } from '../../src/batch/plan/plan'
import { markBegun, markClosed } from '../../src/batch/run/open'
import { startBatch } from '../../src/batch/run/start'
import { readSummary, writeSummary } from '../../src/batch/summary/summary-object'
import { awaitBeginning, begun, followBatch, lookBefore } from '../../src/cli/follow'
import { type BatchSummary, batchRequestSchema } from '../../src/schema'
import type { Bucket, Store } from '../../src/storage/store'
import { minutes, planOf, savePlan, startTestStore, type TestStore } from './batch-fixtures'
import { newRunner, type Runner } from './batch-runner'
import { summaryOf } from './cli-run'

let objects: TestStore
let runner: Runner

beforeAll(async () => {
  objects = await startTestStore()
})
afterAll(() => objects.close())
beforeEach(async () => {
  runner = await newRunner(objects)
})

/** A store in which the first summary of a run waits until somebody has looked for it. */
const withLateSummary = (looked: Promise<unknown>): Store => ({
  bucket: (name) =>
    new Proxy(objects.store.bucket(name), {
      get: (target, method) =>
        method === 'put' && name === runner.results.name
          ? async (...args: Parameters<Bucket['put']>) => {
              if (args[0] === summaryKey('b1')) await looked
              return target.put(...args)
            }
          : Reflect.get(target, method),
    }),
})

/** Fires `b1` once more, and follows it; its plan is seen before its summary. */
async function fireAndFollow(asked: object): Promise<BatchSummary[]> {
  const { results, settings, openwhisk } = runner
  const before = await lookBefore(results, 'b1')
  const old = JSON.stringify(await readPlan(results, 'b1'))
  let looks = 0
  let release = () => {}
  const looked = new Promise<void>((resolve) => {
    release = resolve
  })
  const running = startBatch(
    batchRequestSchema.parse({ batch: 'b1', ...asked }),
    settings,
    {
      id: 'again',
      deadline: Date.now() + minutes(5),
      namespace: 'guest',
      actionName: '/guest/whisklens/start-batch',
    },
    { store: withLateSummary(looked), openwhisk, impatient: openwhisk },
  )
  const seen: BatchSummary[] = []
  const followed = await followBatch(results, 'b1', before, {
    onProgress: (summary) => seen.push(summary),
    // It is asked for at each look.
    failure: async () => {
      if (JSON.stringify(await readPlan(results, 'b1')) !== old && ++looks === 3) release()
      return undefined
    },
    pollEvery: 5,
  })
  release()
  expect(followed).toEqual(await running)
  return seen
}

describe('following a batch that is fired again', () => {
  it('does not end with the summary of the pass before', async () => {
    await runner.photos.put('a.jpg', 'a')
    await runner.start({ batch: 'b1' })
    await runner.photos.put('b.jpg', 'b')
    const seen = await fireAndFollow({})
    expect(seen[0]?.state).not.toBe('complete')
    expect(seen.at(-1)).toMatchObject({ state: 'complete', totals: { ok: 2 } })
  })

  it('does not end with the summary of its cancelling when it goes on', async () => {
    await runner.photos.put('a.jpg', 'a')
    const report = runner.report
    runner.report = async () => void (await runner.results.put('batches/b1/cancel.json', '{}'))
    expect(await runner.start({ batch: 'b1' })).toMatchObject({ state: 'cancelled', totals: { pending: 1 } })
    expect(await readPlan(runner.results, 'b1')).toMatchObject({ ended: 'cancelled', done: true })
    runner.report = report
    const [chunk] = runner.invoked.filter(({ name }) => name.endsWith('/classify-images'))
    await report(chunk?.params ?? {})
    const seen = await fireAndFollow({ retry: true })
    expect(seen.map(({ state }) => state)).not.toContain('cancelled')
    expect(seen.at(-1)).toMatchObject({ state: 'complete', totals: { ok: 1 } })
  })

  it.each<[BatchSummary['state'], object]>([
    ['complete', { done: true }],
    ['cancelled', { ended: 'cancelled' }],
    ['stopped', { ended: 'stopped' }],
  ])('ends at once where it is %s already', async (state, changes) => {
    await savePlan(runner.results, planOf('photos', {}, { planned: 3, listed: 3, next: 3, ...changes }))
    await writeSummary(runner.results, summaryOf('b1', { state }))
    const summary = await followBatch(runner.results, 'b1', begun, { onProgress: () => {} })
    expect(summary).toEqual(await readSummary(runner.results, 'b1'))
  })
})

describe('waiting for a batch that was fired just now', () => {
  const begins = () => awaitBeginning(runner.results, 'b1', { startsWithin: 50, pollEvery: 5 })
  const asked = batchRequestSchema.parse({ batch: 'b1' })

  it('ends with its first summary, however long it is marked before', async () => {
    await markBegun(runner.results, 'b1', asked)
    const waiting = begins()
    await sleep(200)
    await writeSummary(runner.results, summaryOf('b1', { state: 'planning' }))
    expect(await waiting).toBe(true)
  })

  it('ends when there is no sign of it, or none any more', async () => {
    expect(await begins()).toBe(false)
    await markBegun(runner.results, 'b1', asked)
    const waiting = begins()
    await markClosed(runner.results, 'b1')
    expect(await waiting).toBe(false)
  })
})
