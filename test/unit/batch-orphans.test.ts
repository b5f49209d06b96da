import { acquireLease, leaseTime } from '../../src/batch/lease'
import { findOrphans, nothingSeen } from '../../src/batch/orphans'
import { openPlan, savePlan } from '../../src/batch/plan'
import { progressOf } from '../../src/batch/run'
import { writeSummary } from '../../src/batch/summary-object'
import type { Bucket } from '../../src/storage/store'
import { advanceClock, planOf, setClock, startTestStore, type TestStore } from './batch-fixtures'

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

const openBatch = async (batch: string) => {
  await savePlan(results, { ...planOf('photos'), batch })
  await writeSummary(results, progressOf({ ...planOf('photos'), batch }))
}

describe('an open batch', () => {
  it('whose activation died has to be resumed', async () => {
    await openBatch('b1')
    await acquireLease(results, 'b1', 'a1')
    expect(await findOrphans(results, nothingSeen())).toEqual([])
    advanceClock(leaseTime)
    expect(await findOrphans(results, nothingSeen())).toEqual(['b1'])
  })

  it('that is just being handed over is left alone for one look', async () => {
    await openBatch('b1')
    await (await acquireLease(results, 'b1', 'a1'))?.release()
    const seen = nothingSeen()
    expect(await findOrphans(results, seen)).toEqual([])
    expect(await findOrphans(results, seen)).toEqual(['b1'])
  })
})

describe('nobody has to resume', () => {
  it('a batch that is complete, nor is it looked at twice', async () => {
    await openBatch('b1')
    await writeSummary(results, { ...progressOf(planOf('photos')), batch: 'b1', state: 'complete' })
    const seen = nothingSeen()
    expect(await findOrphans(results, seen)).toEqual([])
    expect(seen.closed).toEqual(new Set(['b1']))
    expect(await findOrphans(results, seen)).toEqual([])
  })

  it('a batch that failed before it had a plan: nobody knows what it was to be about', async () => {
    await acquireLease(results, 'b1', 'a1')
    advanceClock(leaseTime)
    const seen = nothingSeen()
    await findOrphans(results, seen)
    expect(await findOrphans(results, seen)).toEqual([])
  })

  it('the uploads of a day', async () => {
    await openBatch('uploads-2026-11-22')
    const seen = nothingSeen()
    await findOrphans(results, seen)
    expect(await findOrphans(results, seen)).toEqual([])
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
