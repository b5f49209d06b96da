import type { Planned } from '../../src/batch/planning/planner'
import { positionOf } from '../../src/batch/planning/planner'
import { planAhead } from '../../src/batch/running/plan-ahead'
import type { Context } from '../../src/batch/state/platform'
import type { Bucket } from '../../src/storage/store'
import { batchOf } from './batch-fixtures'

const batch = batchOf('photos')
const turns = async (count = 20): Promise<void> => {
  for (let left = count; left > 0; left--) await Promise.resolve()
}

/** A bucket whose writes resolve when a test says so. */
function slowBucket() {
  const writes: { key: string; answer(thrown?: Error): void }[] = []
  const put = (key: string) =>
    new Promise<string>((resolve, reject) => {
      writes.push({ key, answer: (thrown) => (thrown ? reject(thrown) : resolve('etag')) })
    })
  return { writes, results: { put } as unknown as Bucket }
}

const contextOf = (results: Bucket) => ({ results, store: { bucket: () => results } }) as unknown as Context

async function* chunks(count: number): AsyncGenerator<Planned> {
  for (let n = 1; n <= count; n++) {
    const images = [{ bucket: 'photos', key: `${n}` }]
    yield { images, gone: [], position: { ...positionOf(batch.plan), planned: n, cursor: `${n}` } }
  }
}

describe('planning ahead', () => {
  it('writes chunks concurrently, and reports one after all before it are written', async () => {
    const { writes, results } = slowBucket()
    const planner = planAhead(batch, contextOf(results), () => chunks(20))
    await turns(200)
    expect(writes).toHaveLength(8)
    writes[1]?.answer()
    await turns()
    expect(planner.position()).toBeUndefined()
    writes[0]?.answer()
    await planner.moved()
    await turns()
    expect(planner.position()).toMatchObject({ planned: 2, cursor: '2' })
    expect(planner.hasFinished()).toBe(false)
  })

  it('reports nothing after a chunk that could not be written', async () => {
    const { writes, results } = slowBucket()
    const planner = planAhead(batch, contextOf(results), () => chunks(3))
    await turns(200)
    writes[0]?.answer()
    writes[1]?.answer(new Error('The store is full'))
    writes[2]?.answer()
    await turns(50)
    expect(planner.hasFinished()).toBe(true)
    expect(() => planner.position()).toThrow('The store is full')
  })
})
