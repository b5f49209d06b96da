import { aggregate } from '../../src/batch/running/aggregate'
import { ensureScanning, uploadsBatch } from '../../src/batch/uploads/day'
import { isoOf } from '../../src/clock'
import { saveRegistration } from '../../src/storage/feeds'
import { collect, minutes, startTestStore, type TestStore } from './batch-fixtures'
import { newRunner, type Runner } from './batch-runner'

const wholeDay = minutes(1440)

let objects: TestStore
let runner: Runner
let day: string

beforeAll(async () => {
  objects = await startTestStore()
})
afterAll(() => objects.close())
beforeEach(async () => {
  runner = await newRunner(objects)
  // Noon tomorrow: objects in the store are older, by its own clock.
  runner.clock.advance(wholeDay * 1.5 - (runner.clock.now() % wholeDay))
  day = uploadsBatch(isoOf(runner.clock.now()))
})

const watch = (changes: object = {}) =>
  saveRegistration(runner.results, {
    trigger: '/guest/image-uploaded',
    bucket: runner.photos.name,
    prefix: '',
    paused: false,
    minutes: 0,
    settle: 0,
    createdAt: isoOf(runner.clock.now()),
    ...changes,
  })

const recordAt = (key: string, at: number) => ({ ...runner.recordOf(key, 'v1'), at: isoOf(at) })

describe('notified images', () => {
  it('belong to the UTC day on which their download began, with the usage in the first arrival', async () => {
    const midnight = Math.ceil(runner.clock.now() / wholeDay) * wholeDay
    runner.clock.advance(midnight + 1_000 - runner.clock.now())
    const tomorrow = uploadsBatch(isoOf(midnight))
    const images = [recordAt('a', midnight - 1), recordAt('b', midnight)]
    const spent = { ms: 5_000, container: 'c1' }
    expect((await aggregate({ images, spent }, runner.context())).batches).toEqual([day, tomorrow])
    await runner.start({ advance: day })
    runner.clock.advance(minutes(20))
    await runner.start({ advance: day })
    expect(await runner.keysOf(day)).toEqual(['a'])
    runner.clock.advance(wholeDay)
    await runner.start({ advance: tomorrow })
    expect(await runner.keysOf(tomorrow)).toEqual(['b'])
    const summaries = await Promise.all(
      [day, tomorrow].map(async (batch) =>
        JSON.parse((await runner.results.get(`batches/${batch}/summary.json`)).body.toString()),
      ),
    )
    expect(summaries.map(({ state, containers }) => [state, containers])).toEqual([
      ['complete', 1],
      ['complete', 0],
    ])
    expect(summaries[0].gbSeconds).toBeGreaterThan(1)
  })
})

describe('a day that is handed over', () => {
  it('returns what has arrived, sorted or not', async () => {
    await watch()
    const images = ['a', 'b'].map((key) => recordAt(key, runner.clock.now()))
    await aggregate({ images }, runner.context())
    const soonOver = { deadline: runner.clock.now() + 85_000 + 20_000 }
    expect(await runner.start({ advance: day }, soonOver)).toMatchObject({ totals: { ok: 2 } })
    expect(runner.invoked.at(-1)).toMatchObject({ params: { advance: day } })
  })
})

describe('an image that is too young', () => {
  it('is left to its notification and checked by a later scan', async () => {
    await runner.photos.put('a', 'v1')
    const uploadedAt = Date.parse((await collect(runner.photos.list()))[0]?.lastModified ?? '')
    const settle = Math.ceil((runner.clock.now() - uploadedAt) / 1000) + 90
    await watch({ settle })
    let dispatchedAt = 0
    const { report } = runner
    runner.report = (message) => {
      dispatchedAt ||= runner.clock.now()
      return report(message)
    }
    await ensureScanning(runner.context(), true)
    await runner.start({ advance: day })
    expect(dispatchedAt - uploadedAt).toBeGreaterThanOrEqual(settle * 1000)
  })
})
