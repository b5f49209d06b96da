import { setTimeout as sleep } from 'node:timers/promises'
import { readSummary } from '../../src/batch/reports/summary-object'
import { summaryKey } from '../../src/batch/state/layout'
import { deleteEntry, putEntry } from '../../src/batch/state/open'
import { alreadyStarted, followBatch, pollForSummary, readPriorRun } from '../../src/library/batches/follow'
import type { BatchSummary } from '../../src/schema'
import { doneBatch, putSummary, saveBatch, startTestStore, type TestStore, watched } from './batch-fixtures'
import { newRunner, type Runner, soon } from './batch-runner'
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

/** Fires `b1` again and follows it. Each summary is written only after two more polls. */
async function fireAndFollow(asked: object): Promise<BatchSummary[]> {
  const before = await readPriorRun(runner.results, 'b1')
  let polls = 0
  runner.store = {
    bucket: (name) => {
      const bucket = objects.store.bucket(name)
      const put: typeof bucket.put = async (key, ...rest) => {
        for (const seen = polls; key === summaryKey('b1') && polls < seen + 2; ) await sleep(1)
        return bucket.put(key, ...rest)
      }
      return { ...bucket, put }
    },
  }
  const running = runner.start({ batch: 'b1', ...asked })
  const seen: BatchSummary[] = []
  const followed = await followBatch(runner.results, 'b1', before, {
    onProgress: (summary) => seen.push(summary),
    // Called at each poll.
    failure: async () => void polls++,
    pollEvery: 2,
  })
  polls = Number.POSITIVE_INFINITY
  expect(followed).toEqual(await running)
  return seen
}

describe('following a batch that is fired again', () => {
  it('does not end with the summary of the previous run', async () => {
    await runner.photos.put('a.jpg', 'a')
    await runner.start({ batch: 'b1' })
    await runner.photos.put('b.jpg', 'b')
    const seen = await fireAndFollow({})
    expect(seen[0]?.state).not.toBe('complete')
    expect(seen.at(-1)).toMatchObject({ state: 'complete', totals: { ok: 2 } })
  })

  it('does not end with the summary of its cancellation when it is resumed', async () => {
    await runner.photos.put('a.jpg', 'a')
    const { report } = runner
    runner.report = async () => {}
    await runner.start({ batch: 'b1' }, soon(runner))
    await runner.start({ batch: 'b1', cancel: true })
    await report(runner.invoked[0]?.params ?? {})
    const seen = await fireAndFollow({ retry: true })
    expect(seen.map(({ state }) => state)).not.toContain('cancelled')
    expect(seen.at(-1)).toMatchObject({ state: 'complete', totals: { ok: 1 } })
  })

  it('ends immediately if it has already ended', async () => {
    await runner.photos.put('a.jpg', 'a')
    const summary = await runner.start({ batch: 'b1' })
    expect(await followBatch(runner.results, 'b1', alreadyStarted, { onProgress: () => {} })).toEqual(summary)
  })

  it('does not end before its end is announced', async () => {
    await saveBatch(runner.results, doneBatch('photos', 1))
    await putSummary(runner.results, summaryOf('b1'))
    const following = followBatch(runner.results, 'b1', alreadyStarted, {
      onProgress: () => {},
      changesWithin: 50,
      pollEvery: 5,
    })
    await expect(following).rejects.toMatchObject({ code: 'batch_stalled' })
    expect(
      await readSummary(
        watched(runner.results, () => {}),
        'b1',
      ),
    ).toMatchObject({ state: 'complete' })
  })
})

describe('waiting for a batch that was just fired', () => {
  const begins = () => pollForSummary(runner.results, 'b1', { startsWithin: 50, pollEvery: 5 })

  it('ends with its first summary, however long it is listed before', async () => {
    await putEntry(runner.results, 'b1', 1)
    const waiting = begins()
    await sleep(200)
    await putSummary(runner.results, summaryOf('b1', { state: 'planning' }))
    expect(await waiting).toMatchObject({ state: 'planning' })
  })

  it('ends without a sign of the batch', async () => {
    expect(await begins()).toBeUndefined()
    await putEntry(runner.results, 'b1', 1)
    const waiting = begins()
    await deleteEntry(runner.results, 'b1', 1)
    expect(await waiting).toBeUndefined()
  })
})
