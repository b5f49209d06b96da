import { OpenWhiskError } from '../../../src/errors'
import type { Activation } from '../../../src/openwhisk/activation'
import type { OpenWhisk } from '../../../src/openwhisk/client'
import { platformFaults } from '../faults'
import { Process } from '../process'
import type { Random } from '../random'
import { clockOf, type Skew } from '../time'
import type { Wire } from '../wire'
import type { Containers } from './containers'
import { type Limits, Throttle } from './rates'

/** What an activation of the simulation runs in. */
export interface Surroundings {
  activation: Activation
  process: Process
  clock: ReturnType<typeof clockOf>
  container: string
}

export interface DeployedAction {
  main(params: Record<string, unknown>, surroundings: Surroundings): Promise<object>
  /** Milliseconds. */
  timeout: number
  /** MB. */
  memory: number
  containers: Containers
}

export interface Deployed {
  actions: Record<string, DeployedAction>
  sequences: Record<string, string[]>
  /** The action of each trigger that has an active rule. */
  rules: Record<string, string>
}

/** What an activation ended with. */
export interface Ended {
  /** Its result as JSON, as it travels on. */
  text: string
  hasFailed: boolean
  /** The process died, and the action had no say. */
  hasDied: boolean
}

/** What the result of an activation says. */
export const resultOf = ({ text }: Ended): Record<string, unknown> => JSON.parse(text)

/** An invocation that was taken. */
interface Taken {
  id: string
  ended: Promise<Ended>
}

const packageName = '/guest/whisklens/'

/** Of a request that was refused or got lost. */
const askFaults = ['platform refused', 'platform lost request'] as const

/** What a client of the simulated platform gets where no answer comes, or a refusal. */
const failures = {
  broken: () => new OpenWhiskError(0, 'The connection broke', { retryable: true }),
  refused: () => new OpenWhiskError(503, 'The server is not available', { retryable: true }),
}

/** OpenWhisk as far as the actions meet it, for one namespace and one package. */
export class Platform {
  readonly throttle: Throttle
  readonly activations: Record<string, number> = {}
  /** Told of every fire that was taken. */
  onFire: (trigger: string, params: object) => void = () => {}
  private readonly results = new Map<string, string>()
  private underWay = 0

  /** @param skewOf how the clock of a new process differs */
  constructor(
    private readonly wire: Wire,
    limits: Limits,
    private readonly deployed: Deployed,
    private readonly random: Random,
    private readonly skewOf: () => Skew,
  ) {
    this.throttle = new Throttle(limits)
  }

  /** Whether nothing runs, nor waits to run. */
  isIdle = (): boolean => this.underWay === 0 && this.wire.late === 0

  /** The API as one process sees it: it repeats nothing by itself. */
  of(process: Process): OpenWhisk {
    const ask = <T>(name: string, effect: () => T): Promise<T> =>
      this.wire.request({ process, name, faults: askFaults, effect, ...failures })
    const invoke = (name: string, params: object): Promise<Taken> =>
      this.wire.request({
        process,
        name: `invoke ${nameOf(name)} ${JSON.stringify(params)}`,
        faults: platformFaults,
        effect: (fault) => this.invoke(nameOf(name), params, fault),
        ...failures,
      })
    return {
      invoke: async (name, params) => (await invoke(name, params)).id,
      call: async (name, params) => {
        const { ended } = await invoke(name, params)
        const outcome = await ended
        // The answer finds the process only while it lives.
        await this.wire.time.sleep(1, process)
        if (outcome.hasFailed) throw failureOf(name, outcome.hasDied)
        return resultOf(outcome)
      },
      resultOf: async (id) => {
        const text = await ask(`result of ${id}`, () => this.results.get(id)).catch(() => undefined)
        return text === undefined ? undefined : JSON.parse(text)
      },
      fire: (trigger, params) =>
        this.wire.request({
          process,
          name: `fire ${trigger}`,
          faults: platformFaults,
          effect: (fault) => this.fire(trigger, params, fault),
          ...failures,
        }),
      memoryOf: (name) => ask(`memory of ${nameOf(name)}`, () => this.action(nameOf(name)).memory),
    }
  }

  /** Starts an action or a sequence. @throws OpenWhiskError */
  invoke(name: string, params: object, fault?: string): Taken {
    this.throttle.invocation(this.wire.time.now)
    const id = this.newId()
    // Whatever is passed on travels as JSON.
    const text = JSON.stringify(params)
    if (fault === 'never run') return { id, ended: new Promise(() => {}) }
    const ended = this.begin(name, text, id, fault === 'run late')
    if (fault === 'run twice') void this.begin(name, text, id, true)
    return { id, ended }
  }

  /** Fires a trigger; what its rule is refused shows nowhere. @throws OpenWhiskError */
  fire(trigger: string, params: object, fault?: string): string | undefined {
    this.throttle.fire(this.wire.time.now)
    this.onFire(trigger, JSON.parse(JSON.stringify(params)))
    const action = this.deployed.rules[trigger.replace('/guest/', '')]
    if (!action) return undefined
    try {
      return this.invoke(action, params, fault).id
    } catch (thrown) {
      if (thrown instanceof OpenWhiskError && thrown.status === 429) return this.newId()
      throw thrown
    }
  }

  private async begin(name: string, params: string, id: string, isLate: boolean): Promise<Ended> {
    this.underWay++
    try {
      if (isLate) await this.wire.time.sleep(this.random.between(1_000, 15 * 60_000))
      const ended = await this.run(name, params, id)
      // An invoker that is gone leaves no record of what it ran.
      if (!(ended.hasDied && this.random.chance(0.3))) this.results.set(id, ended.text)
      return ended
    } finally {
      this.underWay--
    }
  }

  private async run(name: string, params: string, id: string): Promise<Ended> {
    const components = this.deployed.sequences[name]
    if (!components) return this.activate(name, params, id)
    let last: Ended = { text: params, hasFailed: false, hasDied: false }
    for (const component of components) {
      last = await this.activate(component, last.text, this.newId())
      if (last.hasFailed) return last
    }
    return last
  }

  private async activate(name: string, params: string, id: string): Promise<Ended> {
    const { main, timeout, containers } = this.action(name)
    const { time, trace } = this.wire
    this.throttle.inFlight++
    const container = await containers.take()
    const number = (this.activations[name] ?? 0) + 1
    this.activations[name] = number
    const process = new Process(`${name}#${number}`)
    const clock = clockOf(time, this.skewOf(), process)
    const activation: Activation = {
      id,
      deadline: clock.now() + timeout,
      namespace: 'guest',
      actionName: packageName + name,
    }
    trace.add(time.now, `${process.name} begins as ${id}: ${params.slice(0, 1_000)}`)
    time.after(timeout, () => process.die(), process)
    const died = new Promise<Ended>((resolve) => process.whenDead(() => resolve(dead)))
    const work = main(JSON.parse(params), { activation, process, clock, container: `c${container}` })
    const ended = await Promise.race([work.then(endedWith), died])
    this.throttle.inFlight--
    if (ended.hasDied) containers.lose()
    else containers.giveBack(container)
    trace.add(time.now, `${process.name} ${ended.hasDied ? 'died' : `ended ${ended.text.slice(0, 1_000)}`}`)
    // What it left behind stands still with its container.
    process.die()
    return ended
  }

  private action(name: string): DeployedAction {
    const action = this.deployed.actions[name]
    if (!action) throw new OpenWhiskError(404, `There is no action ${name}`)
    return action
  }

  private newId(): string {
    const part = () =>
      this.random
        .between(0, 2 ** 32 - 1)
        .toString(16)
        .padStart(8, '0')
    return part() + part() + part() + part()
  }
}

const dead: Ended = { text: '{"error":"The action died"}', hasFailed: true, hasDied: true }

const endedWith = (result: object): Ended => ({
  text: JSON.stringify(result),
  hasFailed: 'error' in result && result.error !== undefined,
  hasDied: false,
})

const nameOf = (fullName: string): string => fullName.replace(packageName, '')

function failureOf(name: string, hasDied: boolean): OpenWhiskError {
  // As the npm client tells of it.
  const cause = { error: { response: { status: hasDied ? 'action developer error' : 'application error' } } }
  return new OpenWhiskError(502, `Could not invoke ${name}: The action failed`, { cause })
}
