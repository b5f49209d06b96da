import { chunkKey, recordKey, resultsKey } from '../../src/batch/layout'
import type { Plan } from '../../src/batch/plan/plan'
import { planChunks } from '../../src/batch/plan/planning'
import { dispatchReady } from '../../src/batch/run/dispatch'
import type { Bucket, ObjectInfo } from '../../src/storage/store'
import {
  advanceClock,
  collect,
  counted,
  errorRecord,
  inBytes,
  listing,
  minutes,
  model,
  objectInfo,
  okRecord,
  planOf,
  setClock,
  silentOpenWhisk,
  startTestStore,
  type TestStore,
  unrivalled,
} from './batch-fixtures'

let objects: TestStore
let photos: Bucket
let results: Bucket

beforeAll(async () => {
  objects = await startTestStore()
})
afterAll(() => objects.close())
beforeEach(async () => {
  setClock('2026-11-22T08:00:00Z')
  photos = await objects.newBucket()
  results = await objects.newBucket()
})
afterEach(() => jest.useRealTimers())

const key = (number: number): string => `k${String(number).padStart(6, '0')}`

/** Made-up images, all but those at the given places with a record. */
function withMissing(count: number, missing: number[]) {
  const listed = (root: string, lastModified: string, numbers: number[]): Bucket['list'] =>
    async function* ({ startAfter = '' } = {}) {
      for (const number of numbers) {
        const object: ObjectInfo = objectInfo(root + key(number), { lastModified })
        if (inBytes(object.key, startAfter) > 0) yield object
      }
    }
  const all = Array.from({ length: count }, (_, number) => number)
  const absent = new Set(missing)
  const known = all.filter((number) => !absent.has(number))
  const root = `images/${model}/${photos.name}/`
  return {
    images: listing(photos, listed('', '2026-11-22T07:00:00.000Z', all)),
    records: listing(results, listed(root, '2026-11-22T08:00:00.000Z', known)),
  }
}

describe('images that are missing among very many', () => {
  it('are dispatched, and passed by, although no activation comes to the end of the listing', async () => {
    const late = Array.from({ length: 620 }, (_, number) => 45_000 + number)
    const missing = [5, 6, 7, 8, 9, 29_000, ...late, 99_999]
    const { images, records } = withMissing(100_000, missing)
    const plan: Plan = planOf(photos.name)
    const chunks = new Map<string, string[]>()
    for (let activation = 0; !plan.done; activation++) {
      expect(activation).toBeLessThan(5)
      // Each look is a hundred images further at most.
      let looks = 260
      for await (const { images: chunk, position } of planChunks(plan, images, records)) {
        const range = { start: plan.planned, end: plan.planned + chunk.length }
        if (chunk.length > 0)
          chunks.set(
            chunkKey('b1', range),
            chunk.map((image) => image.key),
          )
        Object.assign(plan, position)
        if (--looks === 0) break
      }
      Object.assign(plan, JSON.parse(JSON.stringify(plan)))
    }
    const dispatched: string[] = []
    const openwhisk = {
      ...silentOpenWhisk,
      invoke: async (_: string, message: object) => {
        const name = chunkKey('b1', message as { start: number; end: number })
        dispatched.push(...(chunks.get(name) ?? [`no chunk ${name}`]))
        return 'a1'
      },
    }
    await dispatchReady(plan, plan.planned, {
      ...unrivalled(results),
      openwhisk,
      sequence: 'sequence',
      window: { size: 1000, pausedUntil: 0 },
    })
    expect(dispatched).toEqual(missing.map(key))
    expect(Math.max(...[...chunks.values()].map(({ length }) => length))).toBe(50)
  })
})

describe('images that were classified right after their upload', () => {
  const count = 40

  /** Uploads images, and writes their records at once. */
  async function classifyAll(): Promise<void> {
    for (let number = 0; number < count; number++) {
      const etag = await photos.put(key(number), `v${number}`)
      const record = okRecord(key(number), { bucket: photos.name, etag })
      await results.put(recordKey(model, record), JSON.stringify(record))
    }
  }
  /** What a walk asks of the results bucket, beyond listing it. */
  async function walk(options?: { readOnly: boolean }): Promise<Set<string>> {
    const { bucket, requests } = counted(results)
    const chunks = await collect(planChunks(planOf(photos.name), photos, bucket, options))
    expect(chunks.at(-1)?.position).toMatchObject({ listed: count, skipped: count, planned: 0 })
    return new Set(requests.map(({ method }) => method).filter((method) => method !== 'list'))
  }

  it('are looked at once more, and from then on told by listings', async () => {
    await classifyAll()
    expect(await walk()).toEqual(new Set(['find']))
    advanceClock(minutes(16))
    expect(await walk({ readOnly: true })).toEqual(new Set(['find']))
    expect(await walk()).toEqual(new Set(['find', 'put']))
    expect(await walk()).toEqual(new Set())
  })

  it('are planned when they are replaced right after that', async () => {
    await classifyAll()
    advanceClock(minutes(16))
    await walk()
    await photos.put(key(3), 'another')
    const chunks = await collect(planChunks(planOf(photos.name), photos, results))
    expect(chunks.flatMap(({ images }) => images.map((image) => image.key))).toEqual([key(3)])
  })

  it('are looked at side by side, and kept in order', async () => {
    await classifyAll()
    for (const number of [1, 30]) await photos.put(key(number), 'another')
    let [now, most] = [0, 0]
    const watching = {
      ...results,
      find: async (name: string) => {
        most = Math.max(most, ++now)
        return results.find(name).finally(() => now--)
      },
    }
    const chunks = await collect(planChunks(planOf(photos.name), photos, watching))
    expect(chunks.flatMap(({ images }) => images.map((image) => image.key))).toEqual([key(1), key(30)])
    expect(most).toBeGreaterThan(1)
    expect(most).toBeLessThanOrEqual(16)
  })
})

describe('a retry', () => {
  it('does again what failed in the batch for a reason that may have passed, whatever other batches know', async () => {
    const failures = ['b', 'c', 'e']
    for (const name of ['a', 'b', 'c', 'd', 'e']) {
      const record = okRecord(name, { bucket: photos.name, etag: await photos.put(name, 'v1') })
      await results.put(recordKey(model, record), JSON.stringify(record))
    }
    const errors = failures.map((name) => errorRecord(name, { retryable: name !== 'c' }))
    await results.put(
      resultsKey('b1', 'errors.jsonl'),
      errors.map((record) => `${JSON.stringify(record)}\n`).join(''),
    )
    const planned = async (changes: Partial<Plan>) => {
      const chunks = await collect(planChunks(planOf(photos.name, {}, changes), photos, results))
      return chunks.flatMap(({ images }) => images.map((image) => image.key))
    }
    expect(await planned({})).toEqual([])
    expect(await planned({ retry: true })).toEqual(['b', 'e'])
    expect(await planned({ retry: true, cursor: 'b' })).toEqual(['e'])
  })
})
