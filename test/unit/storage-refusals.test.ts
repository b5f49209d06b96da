import { noteRefusal, readRefusals } from '../../src/storage/refusals'
import type { Bucket } from '../../src/storage/store'
import { startTestStore, type TestStore } from './batch-fixtures'

let objects: TestStore
let results: Bucket

beforeAll(async () => {
  objects = await startTestStore()
})
afterAll(() => objects.close())
beforeEach(async () => {
  results = await objects.newBucket()
})

const minute = 60_000
const day = 24 * 60 * minute

/** Records a refusal. @param age milliseconds */
const note = (reason: string, age = 0) =>
  noteRefusal(results, reason, {
    clock: { now: () => Date.now() - age, sleep: async () => {} },
    random: Math.random,
  })

const reasons = async () => (await readRefusals(results)).map(({ reason }) => reason)
const version = async () => (await results.head('events/refused.json'))?.etag

describe('refused notifications', () => {
  it('are initially none', async () => {
    expect(await readRefusals(results)).toEqual([])
  })

  it('are stored with the time, latest first', async () => {
    await note('a', 2 * day)
    await note('b', day)
    const [b, a] = await readRefusals(results)
    expect([b?.reason, a?.reason]).toEqual(['b', 'a'])
    expect(Date.parse(b?.at ?? '') - Date.parse(a?.at ?? '')).toBeGreaterThan(day / 2)
  })

  it('are noted once a minute, however many arrive', async () => {
    await note('a', 10 * minute)
    const before = await version()
    await note('a', 9.5 * minute)
    expect(await version()).toBe(before)
    await note('a')
    expect(await version()).not.toBe(before)
    expect(await reasons()).toEqual(['a'])
  })

  it('are dropped after a week', async () => {
    await note('old', 8 * day)
    expect(await reasons()).toEqual([])
    await note('new')
    expect(String((await results.get('events/refused.json')).body)).not.toContain('old')
  })

  it('are the last ten of a kind', async () => {
    for (let n = 0; n < 12; n++) await note(`reason ${n}`)
    expect(await reasons()).toEqual(Array.from({ length: 10 }, (_, index) => `reason ${11 - index}`))
  })

  it('are complete if several arrive at once', async () => {
    await Promise.all(['a', 'b', 'c', 'd'].map((reason) => note(reason)))
    expect((await reasons()).sort()).toEqual(['a', 'b', 'c', 'd'])
  })
})
