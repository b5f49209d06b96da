import { OpenWhiskError } from '../../src/errors'
import { Faults } from './faults'
import { Containers } from './platform/containers'
import { type DeployedAction, Platform } from './platform/openwhisk'
import { defaultLimits } from './platform/rates'
import { Process } from './process'
import { seeded } from './random'
import { Time } from './time'
import { Trace } from './trace'
import { type CrashPoint, Wire } from './wire'

const start = Date.parse('2026-11-22T08:00:00Z')
const name = (action: string): string => `/guest/whisklens/${action}`

interface Options {
  main?: DeployedAction['main']
  containerLimit?: number
  timeout?: number
  crash?: CrashPoint
  rates?: ConstructorParameters<typeof Faults>[0]
}

/** A platform with one action, a sequence that runs it twice, and a rule. */
function open({
  main = async () => ({}),
  containerLimit = 100,
  timeout = 10_000,
  crash,
  rates = {},
}: Options = {}) {
  const time = new Time(start)
  const faults = new Faults(rates, seeded(1))
  const wire = new Wire(time, faults, seeded(2), new Trace(true), 10)
  wire.crash = crash
  const containers = new Containers(time, containerLimit, 50)
  const deployed = {
    actions: { work: { main, timeout, memory: 256, containers } },
    sequences: { twice: ['work', 'work'] },
    rules: { requested: 'work' },
  }
  const platform = new Platform(wire, defaultLimits, deployed, seeded(3), () => () => 0)
  const process = new Process('client')
  /** Awaits a promise in virtual time. */
  const outcome = async <T>(work: Promise<T>): Promise<T | OpenWhiskError> => {
    let isSettled = false
    const settled = work.catch((thrown) => thrown).finally(() => (isSettled = true))
    await time.run(() => isSettled)
    return settled
  }
  return { time, wire, faults, platform, process, containers, client: platform.of(process), outcome }
}

const messages = (outcomes: unknown[]): string[] =>
  outcomes.filter((one) => one instanceof OpenWhiskError).map(({ message }: OpenWhiskError) => message)

describe('the simulated platform', () => {
  it('refuses the 61st invocation of a clock minute and counts refused ones', async () => {
    const { time, client, outcome, platform } = open()
    const ask = async (count: number) => {
      const outcomes: unknown[] = []
      for (let index = 0; index < count; index++) outcomes.push(await outcome(client.call(name('work'), {})))
      return messages(outcomes)
    }
    expect(await ask(60)).toEqual([])
    expect(await ask(2)).toEqual([
      'Too many requests in the last minute (count: 61, allowed: 60).',
      'Too many requests in the last minute (count: 62, allowed: 60).',
    ])
    await outcome(time.sleep(start + 59_990 - time.now))
    expect(await ask(1)).toHaveLength(1)
    await outcome(time.sleep(start + 60_000 - time.now))
    expect(await ask(1)).toEqual([])
    expect(platform.throttle.refused).toBe(3)
  })

  it('refuses the 31st concurrent invocation and counts it in its minute', async () => {
    const { time, client, outcome } = open({ main: () => new Promise(() => {}), timeout: 20_000 })
    const outcomes = []
    for (let index = 0; index < 60; index++) outcomes.push(await outcome(client.invoke(name('work'), {})))
    expect(new Set(messages(outcomes))).toEqual(
      new Set(['Too many concurrent requests in flight (count: 30, allowed: 30).']),
    )
    expect(messages(outcomes)).toHaveLength(30)
    await outcome(time.sleep(25_000))
    // All have ended, but the minute's quota is used up.
    expect(messages([await outcome(client.invoke(name('work'), {}))])[0]).toMatch(/last minute \(count: 61/)
  })

  it('passes results along a sequence and counts it once', async () => {
    const { client, outcome, platform } = open({ main: async ({ n }) => ({ n: Number(n) * 2 }) })
    for (let index = 0; index < 60; index++)
      expect(await outcome(client.call(name('twice'), { n: 3 }))).toEqual({ n: 12 })
    expect(platform.activations).toEqual({ work: 120 })
  })

  it('accepts a fire whose rule is throttled', async () => {
    const { client, outcome, platform } = open()
    for (let index = 0; index < 60; index++) await outcome(client.invoke(name('work'), {}))
    expect(await outcome(client.fire('requested', {}))).toMatch(/^[\da-f]{32}$/)
    expect(await outcome(client.fire('unheard', {}))).toBeUndefined()
    expect(platform.activations).toEqual({ work: 60 })
  })

  it('kills an action at its time limit and reports it like the npm client', async () => {
    let isOver = false
    const { client, outcome, time } = open({
      timeout: 1_000,
      main: async (_, { activation, clock }) => {
        expect(activation.deadline - clock.now()).toBe(1_000)
        await clock.sleep(2_000)
        isOver = true
        return {}
      },
    })
    const thrown = await outcome(client.call(name('work'), {}))
    expect(thrown).toMatchObject({
      status: 502,
      retryable: false,
      cause: { error: { response: { status: 'action developer error' } } },
    })
    await outcome(time.sleep(5_000))
    expect(isOver).toBe(false)
  })

  it('limits containers, keeps them warm and replaces dead ones', async () => {
    const { client, outcome, time, containers } = open({
      containerLimit: 2,
      main: async ({ dies }, { clock, process, container }) => {
        await clock.sleep(100)
        if (dies) process.die()
        return { container }
      },
    })
    const all = await outcome(Promise.all([1, 2, 3].map(() => client.call(name('work'), {}))))
    expect(new Set((all as { container: string }[]).map(({ container }) => container)).size).toBe(2)
    await outcome(client.call(name('work'), { dies: true }))
    await outcome(Promise.all([1, 2].map(() => client.call(name('work'), {}))))
    expect(containers.made).toBe(3)
    expect(time.now).toBeGreaterThan(start)
  })

  it('returns the result of an activation once it has ended', async () => {
    const { client, outcome, time } = open({
      main: (_, { clock }) => clock.sleep(500).then(() => ({ done: true })),
    })
    const id = (await outcome(client.invoke(name('work'), {}))) as string
    expect(await outcome(client.resultOf(id))).toBeUndefined()
    await outcome(time.sleep(1_000))
    expect(await outcome(client.resultOf(id))).toEqual({ done: true })
  })

  it('kills a process before a request or after its effect', async () => {
    const run = async (when: CrashPoint['when']) => {
      const { platform, process, client, time } = open({ crash: { call: 1, when } })
      void client.invoke(name('work'), {})
      await time.run(() => false)
      return [process.isAlive, platform.activations]
    }
    expect(await run('before')).toEqual([false, {}])
    expect(await run('after')).toEqual([false, { work: 1 }])
  })

  it.each([
    ['platform refused', 503, 0],
    ['platform lost request', 0, 0],
    ['platform lost answer', 0, 1],
    ['platform landed late', 0, 1],
    ['run twice', undefined, 2],
    ['run late', undefined, 1],
    ['never run', undefined, 0],
  ] as const)('simulates the fault "%s"', async (kind, status, activations) => {
    const { client, outcome, platform, time, faults } = open({ rates: { [kind]: 1 } })
    const told = await outcome(client.invoke(name('work'), {}))
    if (status === undefined) expect(told).toMatch(/^[\da-f]{32}$/)
    else expect(told).toMatchObject({ status, retryable: true })
    await time.run(() => false)
    expect(platform.activations.work ?? 0).toBe(activations)
    expect(faults.fired).toEqual({ [kind]: 1 })
    expect(platform.isIdle()).toBe(true)
  })
})
