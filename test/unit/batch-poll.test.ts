import { writeRecord } from '../../src/batch/chunk/record'
import { poll } from '../../src/batch/run/poll'
import { saveRegistration } from '../../src/storage/feeds'
import { minutes, okRecord, startTestStore, type TestStore } from './batch-fixtures'
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
async function pollAfter(milliseconds: number) {
  const { openwhisk, settings } = runner
  const activation = {
    id: 'a1b2c3d4e5f60718293a4b5c6d7e8f90',
    deadline: Date.now() + minutes(5),
    namespace: 'guest',
    actionName: '/guest/whisklens/start-batch',
    apiHost: 'http://127.0.0.1:9',
    apiKey: 'uuid:key',
  }
  const platform = { store: objects.store, openwhisk, impatient: openwhisk }
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
  expect(await pollAfter(minutes(1))).toEqual({ resumed: [] })
  await watch({ settle: 30 })
  expect(await pollAfter(minutes(1))).toHaveProperty('batch')
})

it('leaves alone what was there before it was watched, other prefixes, and a paused bucket', async () => {
  await runner.photos.put('a.jpg', 'a')
  for (const changes of [{ since: '2100-01-01T00:00:00.000Z' }, { prefix: 'b' }, { paused: true }]) {
    await watch(changes)
    expect(await pollAfter(minutes(5))).toEqual({ resumed: [] })
  }
})

it('starts no second batch while one is open', async () => {
  await watch()
  await runner.photos.put('a.jpg', 'a')
  const { batch } = await pollAfter(minutes(5))
  await runner.results.put(`open/${batch}`, '{}')
  await runner.photos.put('b.jpg', 'b')
  expect(await pollAfter(minutes(10))).toMatchObject({ batch })
})
