import type { Planned } from '../../src/batch/planning/planner'
import { readChunk } from '../../src/batch/records/chunks'
import { planAhead } from '../../src/batch/running/plan-ahead'
import { recordKey } from '../../src/batch/state/layout'
import { StorageError } from '../../src/errors'
import { doneBatch, model, okRecord, startTestStore, type TestStore } from './batch-fixtures'
import { newRunner, type Runner } from './batch-runner'

let objects: TestStore
let runner: Runner

beforeAll(async () => {
  objects = await startTestStore()
})
afterAll(() => objects.close())
beforeEach(async () => {
  runner = await newRunner(objects)
})

const keyOf = (key: string) => recordKey(model, { bucket: runner.photos.name, key })
const isRecorded = async (key: string) => (await runner.results.head(keyOf(key))) !== undefined

/** Plans the result of a walk. @returns the planner, once it has finished */
async function plan(...found: Planned[]) {
  async function* source() {
    yield* found
  }
  const batch = { ...doneBatch(runner.photos.name, 0), batch: 'b1', revision: 3 }
  batch.model = { model: 'tiny', modelVersion: model }
  const planner = planAhead(batch, runner.context(), source)
  while (!planner.hasFinished()) await new Promise(setImmediate)
  return planner
}

const position = { listed: 0, skipped: 0, planned: 0, cursor: '', done: true, swept: true }
const gone = (...keys: string[]): Planned => ({ images: [], gone: keys, position })

describe('the record of an image that is no longer listed', () => {
  beforeEach(async () => {
    for (const key of ['a', 'b', 'c']) await runner.results.put(keyOf(key), '{}')
  })

  it('is deleted, and no other', async () => {
    await plan(gone('a', 'c'))
    expect(await Promise.all(['a', 'b', 'c'].map(isRecorded))).toEqual([false, true, false])
  })

  it('is deleted with its thumbnail, and no other', async () => {
    for (const key of ['a', 'b']) {
      const thumbnail = { key: `thumbnails/${key}.webp`, width: 320, height: 240, bytes: 1 }
      await runner.results.put(thumbnail.key, 'x')
      await runner.results.put(keyOf(key), JSON.stringify({ ...okRecord(key), thumbnail }))
    }
    await plan(gone('a', 'c'))
    expect(await runner.results.head('thumbnails/a.webp')).toBeUndefined()
    expect(await runner.results.head('thumbnails/b.webp')).toBeDefined()
  })

  it('is kept if the image exists, having come between two pages', async () => {
    await runner.photos.put('a', 'v1')
    await plan(gone('a', 'b'))
    expect(await Promise.all(['a', 'b', 'c'].map(isRecorded))).toEqual([true, false, true])
  })

  it('is kept if the source refuses access', async () => {
    const { store } = runner
    const refuse = () => Promise.reject(new StorageError('access_denied', 403, 'Access Denied'))
    runner.store = {
      ...store,
      bucket: (name) => ({ ...store.bucket(name), ...(name === runner.photos.name && { head: refuse }) }),
    }
    await plan(gone('a'))
    expect(await isRecorded('a')).toBe(true)
  })
})

it('a chunk is named by its planning and written before its position is reported', async () => {
  const images = [{ bucket: runner.photos.name, key: 'a', etag: 'e', size: 1 }]
  const planner = await plan({ images, gone: [], position: { ...position, planned: 1 } })
  expect(planner.position()?.planned).toBe(1)
  expect(await readChunk(runner.results, 'b1', { start: 0, end: 1, epoch: 3 })).toEqual(images)
})

it('a failure of planning is thrown when the position is read', async () => {
  runner.results.put = () => Promise.reject(new Error('no room'))
  const { results } = runner
  const { store } = runner
  runner.store = { ...store, bucket: (name) => (name === results.name ? results : store.bucket(name)) }
  const images = [{ bucket: runner.photos.name, key: 'a', etag: 'e', size: 1 }]
  const planner = await plan({ images, gone: [], position: { ...position, planned: 1 } })
  expect(() => planner.position()).toThrow('no room')
})
