import { acquireLease, leaseTime } from '../../src/batch/run/lease'
import { listOpen } from '../../src/batch/run/open'
import { findOrphans } from '../../src/batch/run/orphans'
import { readSummary } from '../../src/batch/summary/summary-object'
import { updateUploadsSummary } from '../../src/batch/uploads/count'
import { writeUploadParts } from '../../src/batch/uploads/parts'
import { OpenWhiskError } from '../../src/errors'
import {
  advanceClock,
  collect,
  minutes,
  okRecord,
  setClock,
  startTestStore,
  type TestStore,
} from './batch-fixtures'
import { newRunner, type Runner } from './batch-runner'

let mockSleep: () => void
jest.mock('node:timers/promises', () => ({ setTimeout: async () => mockSleep() }))

const day = 'uploads-2026-11-21'

let objects: TestStore
let runner: Runner

beforeAll(async () => {
  objects = await startTestStore()
})
afterAll(() => objects.close())
beforeEach(async () => {
  setClock('2026-11-21T12:00:00Z')
  mockSleep = () => advanceClock(1000)
  runner = await newRunner(objects)
  for (const key of ['b', 'a', 'b']) await classify(key)
})
afterEach(() => jest.useRealTimers())

/** An image is uploaded and classified. */
async function classify(key: string): Promise<void> {
  advanceClock(1000)
  const record = okRecord(key, { at: new Date().toISOString(), bucket: runner.photos.name })
  for (const part of await writeUploadParts(runner.results, [record], `a${Date.now()}`)) {
    await updateUploadsSummary(runner.results, part)
  }
}

const resume = (): ReturnType<Runner['start']> => runner.start({ batch: day, resume: true })
const marked = (): Promise<string[]> => collect(listOpen(runner.results))

describe('the uploads of a day that is over', () => {
  beforeEach(() => setClock('2026-11-22T08:00:00Z'))

  it('are closed, each image once, and told of', async () => {
    expect(await findOrphans(runner.results)).toEqual([day])
    const summary = await resume()
    expect(summary).toMatchObject({ state: 'complete', exact: true, totals: { ok: 2, pending: 0 } })
    expect(await runner.keysOf(day)).toEqual(['a', 'b'])
    expect(runner.fired).toEqual([{ trigger: 'batch-completed', params: summary }])
    expect(await marked()).toEqual([])
    expect(await findOrphans(runner.results)).toEqual([])
  })

  it('are closed once, although they are resumed twice', async () => {
    const summary = await resume()
    expect(await resume()).toEqual(summary)
    expect(runner.fired).toHaveLength(1)
  })

  it('go on in another activation when time is up', async () => {
    const late = { deadline: Date.now() }
    expect(await runner.start({ batch: day, resume: true }, late)).toMatchObject({ state: 'running' })
    expect(runner.invoked).toEqual([
      { name: '/guest/whisklens/start-batch', params: { batch: day, resume: true } },
    ])
    expect([runner.fired, await marked()]).toEqual([[], [day]])
    expect(await resume()).toMatchObject({ state: 'complete', totals: { ok: 2 } })
  })

  it('are left to the activation that is closing them', async () => {
    await acquireLease(runner.results, day, 'another')
    expect(await findOrphans(runner.results)).toEqual([])
    // It dies, and so the one that waits takes over.
    expect(await resume()).toMatchObject({ state: 'complete' })
  })

  it('that could not be told of are told of later', async () => {
    const { fire } = runner.openwhisk
    runner.openwhisk.fire = async () => {
      throw new OpenWhiskError(429, 'Too many requests', { retryable: true })
    }
    await expect(resume()).rejects.toThrow('Too many requests')
    advanceClock(leaseTime)
    expect(await findOrphans(runner.results)).toEqual([day])
    runner.openwhisk.fire = fire
    const summary = await resume()
    expect(runner.fired).toEqual([{ trigger: 'batch-completed', params: summary }])
  })

  it('are closed once more when one more comes in', async () => {
    await resume()
    const record = okRecord('c', { at: '2026-11-21T23:59:59.000Z', bucket: runner.photos.name })
    for (const part of await writeUploadParts(runner.results, [record], 'late')) {
      await updateUploadsSummary(runner.results, part)
    }
    advanceClock(minutes(1))
    expect(await findOrphans(runner.results)).toEqual([day])
    expect(await resume()).toMatchObject({ totals: { ok: 3 } })
    expect(await runner.keysOf(day)).toEqual(['a', 'b', 'c'])
  })
})

describe('the uploads of a day', () => {
  it('that is not over are not closed', async () => {
    await expect(resume()).rejects.toThrow('is not over')
    expect(await readSummary(runner.results, day)).toMatchObject({ state: 'running', exact: false })
  })

  it('of which there are none are refused', async () => {
    const none = runner.start({ batch: 'uploads-2026-11-01', resume: true })
    await expect(none).rejects.toThrow('There is no batch "uploads-2026-11-01"')
  })
})
