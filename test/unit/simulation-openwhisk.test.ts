import { VirtualClock } from '../../bench/simulation/clock'
import { Containers } from '../../bench/simulation/containers'
import { type ScriptedAction, ScriptedOpenWhisk } from '../../bench/simulation/openwhisk'
import { Process } from '../../bench/simulation/process'
import { OpenWhiskError } from '../../src/errors'
import { openwhiskLimits } from '../../src/local/host/limits'
import { setClock } from './batch-fixtures'

const start = Date.parse('2026-11-22T08:00:00Z')

let clock: VirtualClock
beforeEach(() => {
  clock = new VirtualClock(start)
  // The limits' minutes are those of Date.
  setClock(start)
})
afterEach(() => jest.useRealTimers())

interface Options {
  main: ScriptedAction['main']
  containers?: number
  timeout?: number
}

/** A platform with one action, the sequence of that action twice, and a rule for it. */
function platformOf({ main, containers = 100, timeout = 1000 }: Options) {
  const action = { main, timeout, memory: 256, containers: new Containers(clock, containers, 50) }
  const deployed = {
    actions: { work: action },
    sequences: { twice: ['work', 'work'] },
    rules: { requested: 'work' },
  }
  const openwhisk = new ScriptedOpenWhisk(clock, openwhiskLimits, 10, deployed)
  return { openwhisk, client: openwhisk.client(new Process(), 0) }
}

const name = (action: string): string => `/guest/whisklens/${action}`

/** What a promise fails with, in virtual time. */
const failureOf = (work: Promise<unknown>): Promise<unknown> =>
  clock.run(
    work.then(
      () => undefined,
      (thrown) => thrown,
    ),
  )

describe('the scripted platform', () => {
  it('refuses what is one too many in a minute, and what is refused may be tried again', async () => {
    const { client, openwhisk } = platformOf({ main: async () => ({}) })
    for (let i = 0; i < 60; i++) await clock.run(client.call(name('work'), {}))
    const thrown = await failureOf(client.invoke(name('work'), {}))
    expect(thrown).toBeInstanceOf(OpenWhiskError)
    expect(thrown).toMatchObject({ status: 429, retryable: true })
    setClock(start + 60_000)
    expect(await clock.run(client.call(name('work'), {}))).toEqual({})
    expect(openwhisk.happened).toMatchObject({ activations: { work: 61 }, throttled: 1 })
  })

  it('refuses what is one too many at a time', async () => {
    const { client } = platformOf({ main: () => clock.sleep(500).then(() => ({})) })
    for (let i = 0; i < 30; i++) await clock.run(client.invoke(name('work'), {}))
    expect(await failureOf(client.invoke(name('work'), {}))).toMatchObject({ status: 429 })
    await clock.run(clock.sleep(1000))
    await clock.run(client.invoke(name('work'), {}))
  })

  it('hands the result of each component of a sequence to the next, and counts one invocation', async () => {
    const { client, openwhisk } = platformOf({ main: async ({ n }) => ({ n: Number(n) * 2 }) })
    for (let i = 0; i < 60; i++)
      expect(await clock.run(client.call(name('twice'), { n: 3 }))).toEqual({ n: 12 })
    expect(openwhisk.happened).toMatchObject({ activations: { work: 120 }, throttled: 0 })
  })

  it('kills what runs longer than its time limit', async () => {
    let isOver = false
    const { client, openwhisk } = platformOf({
      main: async (_, { activation, process }) => {
        expect(activation.deadline - clock.now).toBe(1000)
        await clock.sleep(2000)
        await process.goOn()
        isOver = true
        return {}
      },
    })
    expect(await failureOf(client.call(name('work'), {}))).toMatchObject({ message: /time limit/ })
    await clock.run(clock.sleep(5000))
    expect(isOver).toBe(false)
    expect(openwhisk.happened.failures).toEqual({ 'work: The activation was killed at its time limit': 1 })
  })

  it('queues what there is no container for, and starts each of them cold once', async () => {
    const seen: { container: number; at: number }[] = []
    const { client } = platformOf({
      containers: 2,
      main: async (_, { container }) => {
        seen.push({ container, at: clock.now - start })
        await clock.sleep(100)
        return {}
      },
    })
    await clock.run(Promise.all([1, 2, 3, 4].map(() => client.call(name('work'), {}))))
    // 10 ms for the request, 50 for the cold start.
    expect(seen).toEqual([
      { container: 1, at: 60 },
      { container: 2, at: 60 },
      { container: 1, at: 160 },
      { container: 2, at: 160 },
    ])
  })

  it('refuses a result of more than a megabyte', async () => {
    const { client } = platformOf({ main: async () => ({ text: 'x'.repeat(1024 * 1024) }) })
    expect(await failureOf(client.call(name('work'), {}))).toMatchObject({ message: /larger than allowed/ })
  })

  it('knows when an activation has ended', async () => {
    const { client, openwhisk } = platformOf({ main: () => clock.sleep(100).then(() => ({})) })
    const id = await clock.run(client.invoke(name('work'), {}))
    expect(await clock.run(client.resultOf(id ?? ''))).toBeUndefined()
    await clock.run(openwhisk.settled())
    expect(await clock.run(client.resultOf(id ?? ''))).toEqual({})
  })

  it('starts the action of a rule when its trigger is fired', async () => {
    const fired: string[] = []
    const { client, openwhisk } = platformOf({ main: async () => ({}) })
    openwhisk.onFire = (trigger) => fired.push(trigger)
    expect(await clock.run(client.fire('requested', {}))).toBeDefined()
    expect(await clock.run(client.fire('unknown', {}))).toBeUndefined()
    await clock.run(openwhisk.settled())
    expect(fired).toEqual(['requested', 'unknown'])
    expect(openwhisk.happened.activations).toEqual({ work: 1 })
  })

  it('never answers a process that was killed', async () => {
    const { openwhisk } = platformOf({ main: async () => ({}) })
    const process = new Process()
    process.kill()
    const answered = jest.fn()
    openwhisk.client(process).invoke(name('work'), {}).then(answered, answered)
    await clock.run(clock.sleep(5000))
    expect(answered).not.toHaveBeenCalled()
  })
})
