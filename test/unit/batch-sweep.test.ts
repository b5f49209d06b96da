import fc from 'fast-check'
import { fromJsonLines } from '../../src/batch/json-lines'
import { recordKey, removedKey, removedPrefix } from '../../src/batch/layout'
import type { Plan } from '../../src/batch/plan/plan'
import { planAhead } from '../../src/batch/plan/planner'
import { StorageError } from '../../src/errors'
import type { Bucket } from '../../src/storage/store'
import {
  advanceClock,
  anyKeys,
  collect,
  inBytes,
  minutes,
  model,
  okRecord,
  planOf,
  setClock,
  startTestStore,
  type TestStore,
  watched,
} from './batch-fixtures'
import { newRunner } from './batch-runner'

let objects: TestStore
let photos: Bucket
let results: Bucket

beforeAll(async () => {
  objects = await startTestStore()
})
afterAll(() => objects.close())
beforeEach(async () => {
  setClock('2026-11-22T08:00:00Z')
  await renew()
})
afterEach(() => jest.useRealTimers())

async function renew(): Promise<void> {
  photos = await objects.newBucket()
  results = await objects.newBucket()
}

async function upload(...keys: string[]): Promise<void> {
  await Promise.all(keys.map((key) => photos.put(key, 'v1')))
}

/** Writes records, young enough to be believed without being read. */
async function record(...keys: string[]): Promise<void> {
  const body = (key: string) => JSON.stringify(okRecord(key, { bucket: photos.name }))
  await Promise.all(keys.map((key) => results.put(recordKey(model, { bucket: photos.name, key }), body(key))))
}

const recordsLeft = async (): Promise<string[]> => {
  const prefix = `images/${model}/${photos.name}/`
  return (await collect(results.list({ prefix }))).map(({ key }) => key.slice(prefix.length))
}

/** The keys noted by a pass, as they are read. */
async function noted(pass = 1): Promise<string[]> {
  const names = (await collect(results.list({ prefix: removedPrefix('b1', pass) }))).map(({ key }) => key)
  const bodies = await Promise.all(names.map((name) => results.get(name)))
  return bodies.flatMap(({ body }) => fromJsonLines<{ key: string }>(body).map(({ key }) => key))
}

const secondPass: Partial<Plan> = { passes: [0, 0] }

/** Plans until it is done or fails, as `start-batch` does. */
async function planAll(plan: Plan, images = photos, through = results): Promise<Plan> {
  const planner = planAhead(plan, images, through, async () => true)
  while (!plan.done) {
    planner.check()
    await new Promise(setImmediate)
  }
  await planner.stop()
  return plan
}

const planPass = (asked: object = {}, changes: Partial<Plan> = {}): Promise<Plan> =>
  planAll(planOf(photos.name, asked, changes))

describe('a complete, unfiltered pass', () => {
  it('deletes the records of images that are gone, and no others', async () => {
    await upload('b', 'd')
    advanceClock(minutes(20))
    await record('a', 'b', 'c', 'd', 'e')
    const plan = await planPass()
    expect(await recordsLeft()).toEqual(['b', 'd'])
    expect(plan).toMatchObject({ listed: 2, skipped: 2, planned: 0, swept: [0] })
    expect(await noted(0)).toEqual([])
  })

  it('leaves what is not below its prefix alone, nor looks at other buckets and models', async () => {
    await record('x/a', 'y/a', 'xy')
    const other = okRecord('x/a', { bucket: 'elsewhere' })
    await results.put(recordKey(model, other), JSON.stringify(other))
    await planPass({ prefix: 'x/' })
    expect(await recordsLeft()).toEqual(['xy', 'y/a'])
    expect(await results.head(recordKey(model, other))).toBeDefined()
  })

  it('notes their keys in order where it is not the first', async () => {
    await upload('m')
    advanceClock(minutes(20))
    await record('😀', '～', 'a', 'm', 'z')
    const plan = await planPass({}, secondPass)
    expect(await noted()).toEqual(['a', 'z', '～', '😀'])
    expect(plan.swept).toEqual([1])
  })

  it('keeps the record of an image that the listing missed', async () => {
    await upload('a')
    await record('a')
    const behind: Bucket = new Proxy(photos, {
      get: (target, name) => (name === 'list' ? async function* () {} : Reflect.get(target, name)),
    })
    await planAll(planOf(photos.name, {}, secondPass), behind)
    expect(await recordsLeft()).toEqual(['a'])
    expect(await noted()).toEqual([])
  })

  it('keeps the records where the source does not tell', async () => {
    await record('a')
    const secret = watched(photos, ({ method }) => {
      if (method === 'head') throw new StorageError('access_denied', 403, 'Not for you')
    })
    await planAll(planOf(photos.name), secret)
    expect(await recordsLeft()).toEqual(['a'])
  })

  it('finds many that are gone between two images', async () => {
    const many = Array.from({ length: 450 }, (_, number) => `k${String(number).padStart(3, '0')}`)
    await upload('a', 'z')
    await record(...many)
    await planPass({ chunkSize: 1 }, secondPass)
    expect(await recordsLeft()).toEqual([])
    expect(await noted()).toEqual(many)
    expect(await results.head(removedKey('b1', 1, 0))).toBeDefined()
  })
})

describe('no record is deleted', () => {
  it.each([
    { include: '*.jpg' },
    { exclude: '*.png' },
    { since: 2020 },
    { limit: 5 },
    { minSize: 0 },
    { maxSize: 100 },
    { sample: '100%' },
  ])('by a pass with the filter %j', async (asked) => {
    await record('a')
    const plan = await planPass(asked)
    expect(await recordsLeft()).toEqual(['a'])
    expect(plan.swept).toBeUndefined()
  })

  it('by a retry that keeps to the images which a limit chose', async () => {
    await record('a')
    expect((await planPass({}, { lastKey: 'z' })).swept).toBeUndefined()
    expect(await recordsLeft()).toEqual(['a'])
  })

  it('by a dry run', async () => {
    const runner = await newRunner(objects)
    const gone = okRecord('a', { bucket: runner.photos.name })
    await runner.results.put(recordKey(model, gone), JSON.stringify(gone))
    await runner.start({ dryRun: true })
    expect(await runner.results.head(recordKey(model, gone))).toBeDefined()
  })
})

describe('a pass whose activation dies', () => {
  it('goes on in the next, at any request: what is noted is gone, once and in order', async () => {
    await fc.assert(
      fc.asyncProperty(
        anyKeys(12),
        anyKeys(12),
        fc.integer({ min: 1, max: 25 }),
        fc.integer({ min: 1, max: 4 }),
        async (imageKeys, recordKeys, requests, chunkSize) => {
          await renew()
          await upload(...imageKeys)
          advanceClock(minutes(20))
          await record(...recordKeys)
          let left = requests
          const dying = watched(results, () => {
            if (left-- <= 0) throw new StorageError('store_failed', 0, 'The process is gone')
          })
          const plan = planOf(photos.name, { chunkSize }, secondPass)
          // All that a successor knows of is what was planned, for chunks and cursor move together.
          await planAll(plan, photos, dying).catch((thrown) => {
            expect(thrown).toMatchObject({ message: 'The process is gone' })
          })
          await planAll({ ...plan }, photos, results)
          const gone = recordKeys.filter((key) => !imageKeys.includes(key)).sort(inBytes)
          const keys = await noted()
          expect(keys).toEqual([...new Set(keys)].sort(inBytes))
          expect(gone).toEqual(expect.arrayContaining(keys))
          const still = (await recordsLeft()).filter((key) => !imageKeys.includes(key))
          // Noted or still there for the next pass to find: none is lost sight of.
          expect([...new Set([...keys, ...still])].sort(inBytes)).toEqual(gone)
        },
      ),
      { numRuns: 40 },
    )
  })
})
