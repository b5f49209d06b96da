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

/** The environment of a simulated activation. */
export interface Environment {
  activation: Activation
  process: Process
  clock: ReturnType<typeof clockOf>
  container: string
}

export interface DeployedAction {
  main(params: Record<string, unknown>, surroundings: Environment): Promise<object>
  /** Milliseconds. */
  timeout: number
  /** MB. */
  memory: number
  containers: Containers
}

export interface Deployed {
  actions: Record<string, DeployedAction>
  sequences: Record<string, string[]>
  /** The action of each trigger with an active rule. */
  rules: Record<string, string>
}

/** The outcome of an activation. */
export interface Ended {
  /** Its result as JSON. */
  text: string
  hasFailed: boolean
  /** The process died before the action returned. */
  hasDied: boolean
}

/** The parsed result of an activation. */
export const resultOf = ({ text }: Ended): Record<string, unknown> => JSON.parse(text)

/** An accepted invocation. */
interface Invocation {
  id: string
  ended: Promise<Ended>
}

const packageName = '/guest/whisklens/'

/** Faults of a request that has no delayed effect. */
const requestFaults = ['platform refused', 'platform lost request'] as const

/** Errors of the simulated platform's client. */
const failures = {
  broken: () => new OpenWhiskError(0, 'The connection broke', { retryable: true }),
  refused: () => new OpenWhiskError(503, 'The server is not available', { retryable: true }),
}

/** OpenWhisk as the actions see it, with one namespace and one package. */
export class Platform {
  readonly throttle: Throttle
  readonly activations: Record<string, number> = {}
  /** Called for every accepted fire. */
  onFire: (trigger: string, params: object) => void = () => {}
  private readonly results = new Map<string, string>()
  private inFlight = 0

  /** @param skewOf draws the clock skew of a new process */
  constructor(
    private readonly wire: Wire,
    limits: Limits,
    private readonly deployed: Deployed,
    private readonly random: Random,
    private readonly skewOf: () => Skew,
  ) {
    this.throttle = new Throttle(limits)
  }

  /** Whether nothing runs or is queued. */
  isIdle = (): boolean => this.inFlight === 0 && this.wire.late === 0

  /** The API as seen by one process, without retries. */
  of(process: Process): OpenWhisk {
    const ask = <T>(name: string, effect: () => T): Promise<T> =>
      this.wire.request({ process, name, faults: requestFaults, effect, ...failures })
    const invoke = (name: string, params: object): Promise<Invocation> =>
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
        // A dead process gets no response.
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
  invoke(name: string, params: object, fault?: string): Invocation {
    this.throttle.invocation(this.wire.time.now)
    const id = this.newId()
    // Parameters travel as JSON.
    const text = JSON.stringify(params)
    if (fault === 'never run') return { id, ended: new Promise(() => {}) }
    const ended = this.begin(name, text, id, fault === 'run late')
    if (fault === 'run twice') void this.begin(name, text, id, true)
    return { id, ended }
  }

  /** Fires a trigger. A throttled rule is not reported. @throws OpenWhiskError */
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
    this.inFlight++
    try {
      if (isLate) await this.wire.time.sleep(this.random.between(1_000, 15 * 60_000))
      const ended = await this.run(name, params, id)
      // An invoker that is gone leaves no activation record.
      if (!(ended.hasDied && this.random.chance(0.3))) this.results.set(id, ended.text)
      return ended
    } finally {
      this.inFlight--
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
    // Pending work stops with its container.
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
  // The form of the npm client's error.
  const cause = { error: { response: { status: hasDied ? 'action developer error' : 'application error' } } }
  return new OpenWhiskError(502, `Could not invoke ${name}: The action failed`, { cause })
}
