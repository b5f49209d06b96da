import { randomUUID } from 'node:crypto'
import { mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import pLimit, { type LimitFunction } from 'p-limit'
import { Container, type Failure, type Reply, tooDeep } from './container'

export interface PoolOptions {
  /** Folder for the containers' folders only. */
  folder: string
  /** Path of the runtime's bundle. */
  runtime: string
  containersPerAction: number
  /** How long an idle container is kept, milliseconds. */
  idleTimeout: number
  /** Time of an activation's start, milliseconds. */
  clock(): number
}

/** One run of an action. */
export interface Job {
  /** Identifies the code: runs with the same key share containers. */
  key: string
  /** MB. */
  memory: number
  /** Milliseconds, for each of /init and /run. */
  timeout: number
  /** Log limit, bytes. */
  logs: number
  environment: Record<string, string>
  /** Body of /init, for a new container. */
  init(): object
  /** Body of /run. */
  run(deadline: number): object
}

export interface Outcome {
  /** `init` if the container did not start or initialise. */
  phase: 'init' | 'run'
  answer: Reply | Failure
  start: number
  /** Milliseconds; new containers only. */
  initTime?: number
  logs: string[]
}

interface Idle {
  key: string
  container: Container
  timer: NodeJS.Timeout
}

const isOk = (answer: Reply | Failure): boolean => typeof answer === 'object' && answer.status === 200

/** After success, or if the parameters never reached the container. */
const isReusable = ({ phase, answer }: Outcome): boolean =>
  phase === 'run' && (isOk(answer) || answer === tooDeep)

/** Runs jobs in containers: warm ones first, new ones up to a limit per key, then in order of arrival. */
export class Pool {
  private readonly limits = new Map<string, LimitFunction>()
  private readonly idle = new Set<Idle>()
  private readonly all = new Set<Container>()
  private isClosed = false

  constructor(private readonly options: PoolOptions) {
    // Leftovers of a host that was killed.
    rmSync(options.folder, { recursive: true, force: true })
    mkdirSync(options.folder, { recursive: true })
  }

  /** Runs a job. Never rejects: failures are in the outcome. */
  async run(job: Job): Promise<Outcome> {
    const limit = this.limits.get(job.key) ?? pLimit(this.options.containersPerAction)
    this.limits.set(job.key, limit)
    const outcome = await limit(() => this.runNow(job))
    if (limit.activeCount + limit.pendingCount === 0) this.limits.delete(job.key)
    return outcome
  }

  /** Number of containers. */
  size = (): number => this.all.size

  /** Stops all containers. Waiting and running jobs end as if their container had crashed. */
  async close(): Promise<void> {
    this.isClosed = true
    for (const { timer } of this.idle) clearTimeout(timer)
    await Promise.all([...this.all].map((container) => this.remove(container)))
  }

  private async runNow(job: Job): Promise<Outcome> {
    const outcome: Outcome = { phase: 'init', answer: 'exit', start: this.options.clock(), logs: [] }
    let container = this.takeIdle(job.key)
    try {
      const isNew = container === undefined
      container ??= await this.startContainer(job)
      container.logs.begin(job.logs)
      if (isNew) {
        outcome.start = this.options.clock()
        outcome.answer = await container.post('/init', job.init(), job.timeout)
        outcome.initTime = Date.now() - outcome.start
      }
      if (!isNew || isOk(outcome.answer)) {
        // The answer to /init is not that of the run.
        Object.assign(outcome, { phase: 'run', answer: 'exit' })
        outcome.answer = await container.post('/run', job.run(Date.now() + job.timeout), job.timeout)
      }
      outcome.logs = await container.logs.end()
    } catch {
      // No container, or no code for it; `outcome` is initialised for this case.
    }
    // A failed container is not reused, as on a real server.
    if (container && isReusable(outcome) && !this.isClosed) this.keep(job.key, container)
    else if (container) void this.remove(container)
    return outcome
  }

  private async startContainer({ memory, environment }: Job): Promise<Container> {
    if (this.isClosed) throw new Error('The pool is closed.')
    const folder = join(this.options.folder, randomUUID())
    const container = await Container.start({ runtime: this.options.runtime, folder, memory, environment })
    this.all.add(container)
    if (this.isClosed) await this.remove(container)
    return container
  }

  private takeIdle(key: string): Container | undefined {
    // A container that died while idle stays listed until it is reaped.
    const last = [...this.idle].findLast((one) => one.key === key && !one.container.isGone)
    if (last === undefined) return undefined
    clearTimeout(last.timer)
    this.idle.delete(last)
    return last.container
  }

  private keep(key: string, container: Container): void {
    const reap = () => {
      this.idle.delete(one)
      void this.remove(container)
    }
    const one: Idle = { key, container, timer: setTimeout(reap, this.options.idleTimeout) }
    this.idle.add(one)
  }

  private async remove(container: Container): Promise<void> {
    await container.stop()
    this.all.delete(container)
  }
}
