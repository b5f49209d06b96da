import { readChunk, writePart } from '../../src/batch/chunk/parts'
import { writeRecord } from '../../src/batch/chunk/record'
import type { ChunkMessage } from '../../src/batch/run/dispatch'
import { leaseTime } from '../../src/batch/run/lease'
import { listOpen } from '../../src/batch/run/open'
import { poll } from '../../src/batch/run/poll'
import { saveRegistration } from '../../src/storage/feeds'
import {
  advanceClock,
  collect,
  errorRecord,
  minutes,
  okRecord,
  setClock,
  startTestStore,
  type TestStore,
  watched,
} from './batch-fixtures'
import { newRunner, type Runner } from './batch-runner'

let objects: TestStore
let runner: Runner
const trigger = '/guest/image-uploaded'

beforeAll(async () => {
  objects = await startTestStore()
})
afterAll(() => objects.close())

beforeEach(async () => {
  runner = await newRunner(objects)
})

/** A poll some time after what was uploaded. */
async function pollAfter(milliseconds: number, store = objects.store) {
  const { openwhisk, settings } = runner
  const activation = {
    id: 'a1b2c3d4e5f60718293a4b5c6d7e8f90',
    deadline: Date.now() + minutes(5),
    namespace: 'guest',
    actionName: '/guest/whisklens/start-batch',
    apiHost: 'http://127.0.0.1:9',
    apiKey: 'uuid:key',
  }
  const platform = { store, openwhisk, impatient: openwhisk }
  return poll(trigger, settings, activation, platform, new Date(Date.now() + milliseconds))
}

const watch = (changes: object = {}) =>
  saveRegistration(runner.results, {
    trigger,
    bucket: runner.photos.name,
    prefix: '',
    paused: false,
    createdAt: '2026-01-01T00:00:00.000Z',
    minutes: 10,
    settle: 120,
    ...changes,
  })

it('classifies what no notification told of, and nothing the next time', async () => {
  await watch()
  await runner.photos.put('a.jpg', 'a')
  await runner.photos.put('b.jpg', 'b')
  const { batch } = await pollAfter(minutes(5))
  expect(batch).toMatch(/^poll-[0-9a-f]{6}-\d{8}-\d{6}$/)
  expect(await runner.keysOf(String(batch))).toEqual(['a.jpg', 'b.jpg'])
})

it('starts nothing where nothing is missing', async () => {
  await watch()
  const etag = await runner.photos.put('a.jpg', 'a')
  const record = okRecord('a.jpg', { bucket: runner.photos.name, etag, at: new Date().toISOString() })
  expect(await writeRecord(objects.store, runner.results, record)).toBe(true)
  expect(await pollAfter(minutes(5))).toEqual({ resumed: [] })
  expect(runner.invoked).toEqual([])
})

it('leaves young images to their notifications', async () => {
  await watch()
  await runner.photos.put('a.jpg', 'a')
  const { waiting, message, batch } = await pollAfter(minutes(1))
  expect(batch).toBeUndefined()
  // An image that was put a moment ago has a minute left of two.
  expect(waiting).toEqual({ images: 1, seconds: expect.any(Number) })
  expect(waiting?.seconds).toBeGreaterThan(0)
  expect(waiting?.seconds).toBeLessThanOrEqual(61)
  expect(message).toMatch(/^1 of the images .* younger than 120 s: poll again in \d+ s$/)
  await watch({ settle: 30 })
  expect(await pollAfter(minutes(1))).toHaveProperty('batch')
})

it('says nothing of young images that have their record', async () => {
  await watch()
  const etag = await runner.photos.put('a.jpg', 'a')
  const record = okRecord('a.jpg', { bucket: runner.photos.name, etag, at: new Date().toISOString() })
  await writeRecord(objects.store, runner.results, record)
  expect(await pollAfter(minutes(1))).toEqual({ resumed: [] })
})

it('leaves alone what was there before it was watched, and other prefixes', async () => {
  await runner.photos.put('a.jpg', 'a')
  for (const changes of [{ since: '2100-01-01T00:00:00.000Z' }, { prefix: 'b' }]) {
    await watch(changes)
    expect(await pollAfter(minutes(5))).toEqual({ resumed: [] })
  }
})

it('says why it starts nothing for a feed that is paused', async () => {
  await runner.photos.put('a.jpg', 'a')
  await watch({ paused: true })
  expect(await pollAfter(minutes(5))).toEqual({
    resumed: [],
    message: 'The feed of /guest/image-uploaded is paused',
  })
})

it('starts no second batch while one is open', async () => {
  await watch()
  await runner.photos.put('a.jpg', 'a')
  const { batch } = await pollAfter(minutes(5))
  await runner.results.put(`open/${batch}`, '{}')
  await runner.photos.put('b.jpg', 'b')
  expect(await pollAfter(minutes(10))).toMatchObject({
    batch,
    message: `The batch ${batch} of an earlier poll has to be closed first`,
  })
})

describe('what leaves no record because it may pass', () => {
  let broken: Set<string>
  let tried: string[]

  beforeEach(async () => {
    setClock('2026-11-22T08:00:00Z')
    broken = new Set(['b.jpg'])
    tried = []
    await watch()
    for (const key of ['a.jpg', 'b.jpg', 'c.jpg']) await runner.photos.put(key, 'v1')
    runner.report = async (message) => {
      const { batch, chunk, start, end } = message as ChunkMessage
      const images = (await readChunk(runner.results, batch, chunk)).slice(
        start - chunk.start,
        end - chunk.start,
      )
      const records = images.map(({ bucket, key, etag = null }) => {
        tried.push(key)
        const of = { bucket, etag, at: new Date().toISOString() }
        return broken.has(key) ? errorRecord(key, { code: 'access_denied' }, of) : okRecord(key, of)
      })
      for (const record of records) await writeRecord(objects.store, runner.results, record)
      await writePart(runner.results, batch, start, records, 'a1')
    }
  })
  afterEach(() => jest.useRealTimers())

  /** Polls every twenty minutes, for so long. @returns what was tried, and how many minutes passed before */
  async function pollFor(hours: number): Promise<[minutes: number, key: string][]> {
    const found: [number, string][] = []
    for (let passed = 20; passed <= hours * 60; passed += 20) {
      advanceClock(minutes(20))
      await pollAfter(0)
      found.push(...tried.splice(0).map((key): [number, string] => [passed, key]))
    }
    return found
  }
  const listed = async () => (await collect(runner.results.list({ prefix: 'tried/' }))).map(({ key }) => key)

  it('is tried after longer and longer pauses, a day at most, and never given up', async () => {
    const found = await pollFor(70)
    const after = found.filter(([, key]) => key === 'b.jpg').map(([passed]) => passed)
    expect(found.length - after.length).toBe(2)
    const pauses = after.slice(1).map((passed, index) => passed - (after[index] ?? 0))
    expect(pauses).toEqual([20, 40, 80, 160, 320, 640, 1280, 1440])
    broken.clear()
    expect(await pollFor(24)).toHaveLength(1)
    expect(await pollFor(6)).toEqual([])
    expect(await listed()).toHaveLength(1)
  })

  it('does not rest when it is uploaded anew, nor because of others', async () => {
    expect(await pollFor(3)).toHaveLength(2 + 4)
    await runner.photos.put('b.jpg', 'v2')
    await runner.photos.put('d.jpg', 'v1')
    // From then on, its pauses begin anew.
    expect(await pollFor(0.7)).toEqual([
      [20, 'b.jpg'],
      [20, 'd.jpg'],
      [40, 'b.jpg'],
    ])
  })

  it('does not rest for another version of the model', async () => {
    await pollFor(3)
    runner.version = 'tiny@ffffffff'
    expect((await pollFor(0.4)).map(([, key]) => key)).toEqual(['a.jpg', 'b.jpg', 'c.jpg'])
  })

  it('is tried by a batch that is fired, and by a retry of what a poll has tried', async () => {
    const { batch } = await pollAfter(minutes(5))
    tried.splice(0)
    advanceClock(minutes(10))
    await runner.start({ batch: 'b1' })
    expect(tried.splice(0)).toEqual(['b.jpg'])
    await runner.start({ batch, retry: true })
    expect(tried).toEqual(['b.jpg'])
  })

  it('is forgotten once it is gone', async () => {
    await pollFor(2)
    await runner.photos.delete('b.jpg')
    await runner.photos.put('d.jpg', 'v1')
    await pollFor(6)
    await runner.photos.put('e.jpg', 'v1')
    await pollFor(1)
    for (const key of await listed()) expect((await runner.results.get(key)).body.toString()).toBe('')
  })

  it('rests also where the batch of a poll is begun by another activation', async () => {
    await pollFor(3)
    await runner.photos.put('d.jpg', 'v1')
    advanceClock(minutes(10))
    const { call } = runner.openwhisk
    let calls = 0
    runner.openwhisk.call = async (...asked) => {
      if (++calls === 2) throw new Error('The process is gone')
      return call(...asked)
    }
    await expect(pollAfter(0)).rejects.toThrow('gone')
    const [batch] = await collect(listOpen(runner.results))
    advanceClock(leaseTime)
    await runner.start({ batch, resume: true })
    expect(tried).toEqual(['d.jpg'])
  })

  it('rests although a poll dies while it makes its list, and once more when it is repeated', async () => {
    await pollFor(3)
    const before = await listed()
    advanceClock(minutes(10))
    const { store } = objects
    let deaths = 0
    const dying = {
      bucket: (name: string) =>
        watched(store.bucket(name), ({ method }) => {
          if (method !== 'deleteAll' || deaths++) return
          throw new Error('The process is gone')
        }),
    }
    await expect(pollAfter(0, dying)).rejects.toThrow('gone')
    expect((await listed()).length).toBe(before.length + 1)
    await pollAfter(0)
    expect(tried).toEqual([])
    expect(await pollFor(3)).toEqual([[expect.any(Number), 'b.jpg']])
    expect(await listed()).toHaveLength(1)
  })
})
