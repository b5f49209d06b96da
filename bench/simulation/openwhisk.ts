import { messageOf, OpenWhiskError } from '../../src/errors'
import { checkSize, type Limits, ratePerMinute, tooMany } from '../../src/local/host/limits'
import type { Activation } from '../../src/openwhisk/activation'
import { type OpenWhisk, patiently } from '../../src/openwhisk/client'
import type { VirtualClock } from './clock'
import type { Containers } from './containers'
import { Process } from './process'

/** What an action's code gets beside its parameters. */
export interface Surroundings {
  activation: Activation
  process: Process
  container: number
}

export interface ScriptedAction {
  main(params: Record<string, unknown>, surroundings: Surroundings): Promise<object>
  /** Milliseconds after which it is killed. */
  timeout: number
  /** MB. */
  memory: number
  containers: Containers
}

export interface ScriptedPackage {
  actions: Record<string, ScriptedAction>
  sequences: Record<string, string[]>
  /** The action that a trigger starts. */
  rules: Record<string, string>
}

/** What happened, counted. */
export interface Happened {
  /** Activations of each action. */
  activations: Record<string, number>
  /** Invocations that were refused for the platform's limits. */
  throttled: number
  /** Requests for an activation, to see whether it has ended. */
  lookups: number
  /** What activations failed of, each but once. */
  failures: Record<string, number>
}

export const nothingHappened = (): Happened => ({ activations: {}, throttled: 0, lookups: 0, failures: {} })

const packageName = '/guest/whisklens/'

/** An OpenWhisk without servers: limits, containers, deadlines, sequences and rules, on a virtual clock. */
export class ScriptedOpenWhisk {
  happened = nothingHappened()
  /** Called whenever a trigger is fired. */
  onFire: (trigger: string) => unknown = () => {}
  private readonly underWay = new Set<string>()
  /** Of what ended well, as JSON. */
  private readonly results = new Map<string, string>()
  private inFlight = 0
  private made = 0
  private readonly countInvocation: () => void
  private readonly countFire: () => void

  /** @param delay milliseconds that a request to the API takes */
  constructor(
    private readonly clock: VirtualClock,
    private readonly limits: Limits,
    private readonly delay: number,
    private readonly deployed: ScriptedPackage,
  ) {
    this.countInvocation = ratePerMinute(limits.invocationsPerMinute, () => Date.now())
    this.countFire = ratePerMinute(limits.firesPerMinute, () => Date.now())
  }

  /** The API as one process sees it. @param retries as for `connect` */
  client(process: Process, retries = 8): OpenWhisk {
    const ask = async <T>(answer: () => T): Promise<T> => {
      await process.goOn()
      await this.clock.sleep(this.delay)
      await process.goOn()
      return answer()
    }
    const attempt = <T>(answer: () => T): Promise<T> => patiently(() => ask(answer), retries)
    return {
      invoke: async (name, params) => (await attempt(() => this.invoke(name, params))).id,
      call: async (name, params) => {
        const { done } = await attempt(() => this.invoke(name, params))
        return JSON.parse(await done)
      },
      resultOf: (id) =>
        ask(() => {
          this.happened.lookups++
          return this.underWay.has(id) ? undefined : JSON.parse(this.results.get(id) ?? '{}')
        }),
      fire: (trigger, params) => attempt(() => this.fire(trigger, params)),
      memoryOf: (name) => ask(() => this.action(nameOf(name)).memory),
    }
  }

  /** Resolves when nothing is under way. */
  async settled(): Promise<void> {
    while (this.underWay.size > 0) await this.clock.sleep(this.delay)
  }

  private fire(trigger: string, params: object): string | undefined {
    this.throttle(this.countFire)
    this.onFire(trigger)
    const action = this.deployed.rules[trigger]
    return action && this.invoke(packageName + action, params).id
  }

  /** Starts an activation. `done` is its result as JSON; nobody has to wait for it. */
  private invoke(fullName: string, params: object): { id: string; done: Promise<string> } {
    this.throttle(this.countInvocation)
    this.throttle(() => {
      const { concurrentInvocations } = this.limits
      if (this.inFlight >= concurrentInvocations)
        throw tooMany('concurrent requests in flight', this.inFlight, concurrentInvocations)
    })
    const id = this.newId()
    this.underWay.add(id)
    const done = this.run(nameOf(fullName), JSON.stringify(params), id).finally(() =>
      this.underWay.delete(id),
    )
    done.then(
      (result) => this.results.set(id, result),
      () => {},
    )
    return { id, done }
  }

  private throttle(check: () => void): void {
    try {
      check()
    } catch (thrown) {
      this.happened.throttled++
      throw new OpenWhiskError(429, messageOf(thrown), { retryable: true })
    }
  }

  /** An action, or the components of a sequence one after the other, which are not throttled. */
  private async run(name: string, params: string, id: string): Promise<string> {
    const components = this.deployed.sequences[name]
    if (!components) return this.activate(name, params, id)
    let result = params
    for (const component of components) result = await this.activate(component, result, this.newId())
    return result
  }

  private async activate(name: string, params: string, id: string): Promise<string> {
    const { activations, failures } = this.happened
    activations[name] = (activations[name] ?? 0) + 1
    this.inFlight++
    try {
      const result = await this.inContainer(name, params, id)
      checkSize('The result is', Buffer.byteLength(result))
      return result
    } catch (thrown) {
      const failure = `${name}: ${messageOf(thrown)}`
      failures[failure] = (failures[failure] ?? 0) + 1
      throw thrown
    } finally {
      this.inFlight--
    }
  }

  private inContainer(name: string, params: string, id: string): Promise<string> {
    const { main, timeout, containers } = this.action(name)
    return containers.run(async (container) => {
      const process = new Process()
      const deadline = this.clock.now + timeout
      const activation = { id, deadline, namespace: 'guest', actionName: packageName + name }
      let timer: ReturnType<VirtualClock['setTimeout']> | undefined
      const killed = new Promise<never>((_, reject) => {
        timer = this.clock.setTimeout(() => {
          process.kill()
          reject(new Error('The activation was killed at its time limit'))
        }, timeout)
      })
      const ended = main(JSON.parse(params), { activation, process, container })
      const result = await Promise.race([ended, killed]).finally(() => this.clock.clearTimeout(timer))
      return JSON.stringify(result)
    })
  }

  private action(name: string): ScriptedAction {
    const action = this.deployed.actions[name]
    if (!action) throw new OpenWhiskError(404, `There is no action ${name}`)
    return action
  }

  private newId(): string {
    return (++this.made).toString(16).padStart(32, '0')
  }
}

const nameOf = (fullName: string): string => fullName.slice(packageName.length)
