import { messageOf } from '../../errors'
import type { Job, Pool } from '../containers/pool'
import type { Activation, Activations } from './activations'
import { type ActionEntity, clock, type Entities, type KeyValue, pathOf } from './entities'
import { newActivationId, newTransaction } from './ids'
import { actionLimits, megabyte } from './limits'
import type { Meter } from './meter'
import { annotationOf, asObject, type ResolvedAction, resolveAction } from './parameters'
import { errorResponse, responseOf } from './response'

export interface InvokerOptions {
  namespace: string
  auth: string
  entities: Entities
  activations: Activations
  pool: Pool
  meter: Meter
  /** @param namespace of the action */
  apiHost(namespace: string): string
  /** Additional environment of an image's containers. */
  images(image: string | undefined, memory: number): Record<string, string>
}

/** A started activation. `done` never rejects. */
export interface Invoked {
  activationId: string
  done: Promise<Activation>
}

interface Origin {
  transaction: string
  /** Activation id of the sequence, for its components. */
  cause?: string
}

interface Call extends Origin {
  activationId: string
  payload: object
  received: number
}

type Ending = Pick<Activation, 'start' | 'duration' | 'logs' | 'response'> & { annotations: KeyValue[] }

/** Runs actions and sequences, and records their activations. */
export class Invoker {
  private readonly underWay = new Set<Promise<unknown>>()
  /** Number of activations in `underWay` that need a container: not sequences. */
  private inContainers = 0

  constructor(private readonly options: InvokerOptions) {}

  invoke(resolved: ResolvedAction, payload: object, origin: Origin): Invoked {
    const call = { activationId: newActivationId(), payload, received: Date.now(), ...origin }
    this.options.activations.begin({ ...this.identity(resolved, call), start: call.received })
    const done = this.run(resolved, call).then((activation) => {
      this.options.activations.add(activation)
      this.options.meter.ended(pathOf(resolved.action), activation)
      this.underWay.delete(done)
      return activation
    })
    this.underWay.add(done)
    return { activationId: call.activationId, done }
  }

  /** Number of waiting and running activations. */
  running(): number {
    return this.underWay.size
  }

  /** Number of waiting and running activations of actions, including components of sequences. */
  inFlight(): number {
    return this.inContainers
  }

  /** Resolves when all activations have ended. */
  async settled(): Promise<void> {
    await Promise.all(this.underWay)
  }

  private async run(resolved: ResolvedAction, call: Call): Promise<Activation> {
    const { action, binding } = resolved
    const { cause, received } = call
    const run = action.exec.components ? this.runSequence(action, call) : this.runAction(resolved, call)
    const ending = await run.catch((thrown): Ending => {
      const response = errorResponse('whisk internal error', messageOf(thrown))
      return { start: received, duration: 0, logs: [], response, annotations: [] }
    })
    return {
      ...this.identity(resolved, call),
      ...ending,
      end: Math.max(Date.now(), ending.start),
      annotations: [
        ...(cause ? [{ key: 'causedBy', value: 'sequence' }] : []),
        { key: 'path', value: pathOf(action) },
        ...(binding ? [{ key: 'binding', value: binding }] : []),
        { key: 'waitTime', value: Math.max(0, ending.start - received) },
        { key: 'kind', value: action.exec.kind },
        ...ending.annotations,
      ],
    }
  }

  private identity({ action: { name, version } }: ResolvedAction, { activationId, cause }: Call) {
    const { namespace } = this.options
    const common = { activationId, namespace, subject: namespace, name, version, publish: false }
    return cause ? { ...common, cause } : common
  }

  private async runAction(resolved: ResolvedAction, call: Call): Promise<Ending> {
    const { limits } = resolved.action
    this.inContainers++
    const outcome = await this.options.pool.run(this.jobOf(resolved, call)).finally(() => this.inContainers--)
    const { start, initTime, logs } = outcome
    const annotations: KeyValue[] = [
      { key: 'timeout', value: outcome.answer === 'timeout' },
      { key: 'limits', value: limits },
    ]
    if (initTime !== undefined) annotations.push({ key: 'initTime', value: initTime })
    const duration = Math.max(0, Date.now() - start)
    return { start, duration, logs, response: responseOf(outcome, limits.timeout), annotations }
  }

  private jobOf({ action, parameters }: ResolvedAction, call: Call): Job {
    const { entities, auth, namespace, images, apiHost } = this.options
    const { exec, limits, name, version } = action
    const context = {
      namespace,
      action_name: `/${pathOf(action)}`,
      action_version: version,
      activation_id: call.activationId,
      transaction_id: call.transaction,
      ...(getsKey(action) && { api_key: auth }),
    }
    const { env, value } = argumentsOf(parameters, call.payload)
    const { main = 'main', binary = false } = exec
    const code = () => (exec.code === undefined ? '' : entities.readCode(exec.code))
    return {
      key: `${pathOf(action)}@${version}:${action.updated}`,
      memory: limits.memory,
      timeout: limits.timeout,
      logs: limits.logs * megabyte,
      environment: { ...images(exec.image, limits.memory), __OW_API_HOST: apiHost(action.namespace) },
      init: () => ({ value: { name, main, code: code(), binary, env } }),
      run: (deadline) => ({ ...context, deadline: String(deadline), value }),
    }
  }

  private async runSequence({ exec, limits }: ActionEntity, call: Call): Promise<Ending> {
    const start = clock()
    const { entities } = this.options
    const done: Activation[] = []
    let response = errorResponse('application error', 'Sequence component does not exist.')
    try {
      for (const component of exec.components ?? []) {
        const input = (done.at(-1)?.response.result ?? call.payload) as object
        const origin = { transaction: newTransaction(), cause: call.activationId }
        done.push(await this.invoke(resolveAction(entities, component.slice(1)), input, origin).done)
        if (!done.at(-1)?.response.success) break
      }
      response = done.at(-1)?.response ?? response
    } catch {
      // A component was deleted; `response` is initialised for this case.
    }
    const duration = done.reduce((sum, activation) => sum + (activation.duration ?? 0), 0)
    const memories = done.map((one) => (annotationOf(one, 'limits') as ActionEntity['limits']).memory)
    const memory = Math.max(...memories, actionLimits.memory.min)
    const annotations = [
      { key: 'topmost', value: call.cause === undefined },
      { key: 'limits', value: { ...limits, memory } },
    ]
    return { start, duration, logs: done.map(({ activationId }) => activationId), response, annotations }
  }
}

/** As on a real server, an action without the annotation gets the key; new actions get the annotation. */
function getsKey(action: ActionEntity): boolean {
  const wanted = annotationOf(action, 'provide-api-key')
  return wanted === undefined || Boolean(wanted)
}

/** Merges the payload over the parameters; parameters marked `init` go to the environment. */
function argumentsOf(parameters: KeyValue[], payload: object) {
  if (Array.isArray(payload)) return { env: {}, value: payload }
  const all = Object.entries({ ...asObject(parameters), ...payload })
  const inits = new Set(parameters.filter(({ init }) => init).map(({ key }) => key))
  const env = Object.fromEntries(all.filter(([key]) => inits.has(key)))
  return { env, value: Object.fromEntries(all.filter(([key]) => !inits.has(key))) }
}

/** Resolves to undefined if `promise` takes longer than `timeout` milliseconds. */
export function within<T>(timeout: number, promise: Promise<T>): Promise<T | undefined> {
  let timer: NodeJS.Timeout
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), timeout)
  })
  return Promise.race([promise, late]).finally(() => clearTimeout(timer))
}
