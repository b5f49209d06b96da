import { leaseKey } from '../../src/batch/layout'
import { openPlan } from '../../src/batch/plan/plan'
import { acquireLease, leaseTime } from '../../src/batch/run/lease'
import { listOpen, markClosed, markOpen } from '../../src/batch/run/open'
import { findOrphans, reconcile } from '../../src/batch/run/orphans'
import type { Bucket } from '../../src/storage/store'
import {
  advanceClock,
  collect,
  counted,
  minutes,
  planOf,
  setClock,
  silentOpenWhisk,
  startTestStore,
  type TestStore,
} from './batch-fixtures'

let objects: TestStore
let results: Bucket

beforeAll(async () => {
  objects = await startTestStore()
})
afterAll(() => objects.close())
beforeEach(async () => {
  setClock('2026-11-22T08:00:00Z')
  results = await objects.newBucket()
})
afterEach(() => jest.useRealTimers())

/** A batch that is open, with an activation in charge of it. */
async function openBatch(batch: string) {
  const lease = await acquireLease(results, batch, 'a1')
  await markOpen(results, batch)
  return lease
}

describe('an open batch', () => {
  it('whose activation died has to be resumed', async () => {
    await openBatch('b1')
    expect(await findOrphans(results)).toEqual([])
    advanceClock(leaseTime)
    expect(await findOrphans(results)).toEqual(['b1'])
  })

  it('that is just being handed over is left alone', async () => {
    await (await openBatch('b1'))?.release()
    expect(await findOrphans(results)).toEqual([])
    advanceClock(leaseTime + 1000)
    expect(await findOrphans(results)).toEqual(['b1'])
  })

  it('whose lease cannot be read is passed over, for the sake of all others', async () => {
    await openBatch('b1')
    await openBatch('b2')
    await results.put(leaseKey('b1'), 'not JSON')
    advanceClock(leaseTime)
    expect(await findOrphans(results)).toEqual(['b2'])
  })

  it('is one by its marker, however often it was marked', async () => {
    await markOpen(results, 'b1')
    await markOpen(results, 'b1')
    await markOpen(results, 'uploads-2026-11-22')
    expect(await collect(listOpen(results))).toEqual(['b1', 'uploads-2026-11-22'])
    await markClosed(results, 'b1')
    await markClosed(results, 'b1')
    expect(await collect(listOpen(results))).toEqual(['uploads-2026-11-22'])
  })
})

describe('looking for open batches', () => {
  it('costs nothing for those that are closed', async () => {
    for (let number = 0; number < 20; number++) {
      await openBatch(`b${number}`)
      if (number > 0) await markClosed(results, `b${number}`)
    }
    advanceClock(leaseTime)
    const { bucket, requests } = counted(results)
    expect(await findOrphans(bucket)).toEqual(['b0'])
    expect(requests.map(({ method, key }) => (method === 'list' ? method : key))).toEqual([
      'list',
      leaseKey('b0'),
    ])
  })

  it('finds the uploads of a day once it is over, and while nobody is closing them', async () => {
    await markOpen(results, 'uploads-2026-11-21')
    await markOpen(results, 'uploads-2026-11-22')
    expect(await findOrphans(results)).toEqual(['uploads-2026-11-21'])
    await acquireLease(results, 'uploads-2026-11-21', 'a1')
    expect(await findOrphans(results)).toEqual([])
    advanceClock(minutes(24 * 60))
    expect(await findOrphans(results)).toEqual(['uploads-2026-11-21', 'uploads-2026-11-22'])
  })
})

describe('reconciling', () => {
  it('has each batch carried on that nobody is in charge of, and says which', async () => {
    for (const batch of ['b1', 'b2', 'b3']) await openBatch(batch)
    advanceClock(leaseTime)
    await acquireLease(results, 'b2', 'a2')
    const invoked: unknown[] = []
    const openwhisk = {
      ...silentOpenWhisk,
      invoke: async (name: string, params: object) => {
        invoked.push([name, params])
        return 'a3'
      },
    }
    const resumed = await reconcile(results, openwhisk, '/guest/whisklens/start-batch')
    expect(resumed).toEqual({ resumed: ['b1', 'b3'] })
    expect(invoked).toEqual([
      ['/guest/whisklens/start-batch', { batch: 'b1', resume: true }],
      ['/guest/whisklens/start-batch', { batch: 'b3', resume: true }],
    ])
  })
})

describe('a plan', () => {
  it('is not turned back by an activation that lost charge of it', async () => {
    const plan = planOf('photos')
    const first = await openPlan(results, 'b1')
    await first.save(plan)
    const second = await openPlan(results, 'b1')
    await second.save({ ...plan, planned: 7 })
    await expect(first.save({ ...plan, planned: 3 })).rejects.toMatchObject({ code: 'batch_taken_over' })
    expect((await openPlan(results, 'b1')).plan?.planned).toBe(7)
  })

  it('that did not change is not written again', async () => {
    const { save } = await openPlan(results, 'b1')
    await save(planOf('photos'))
    const [before] = await Promise.all([results.head('batches/b1/plan.json')])
    await save(planOf('photos'))
    expect(await results.head('batches/b1/plan.json')).toEqual(before)
  })
})
