import { randomUUID } from 'node:crypto'
import { mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import pLimit, { type LimitFunction } from 'p-limit'
import { Container, type Failure, type Reply, tooDeep } from './container'

export interface PoolOptions {
  /** Holds the containers' folders, and nothing else. */
  folder: string
  /** The runtime's program, bundled. */
  runtime: string
  containersPerAction: number
  /** How long an unused container is kept, in milliseconds. */
  idleTimeout: number
  /** Tells the time of an activation's start. */
  clock(): number
}

/** One run of an action. */
export interface Job {
  /** Names the code: runs of the same key share containers. */
  key: string
  /** MB. */
  memory: number
  /** Milliseconds, for /init and /run each. */
  timeout: number
  /** Bytes. */
  logs: number
  environment: Record<string, string>
  /** The body of /init, asked for by a new container only. */
  init(): object
  /** The body of /run. */
  run(deadline: number): object
}

export interface Outcome {
  /** Where it ended: without a working container there is no run. */
  phase: 'init' | 'run'
  answer: Reply | Failure
  start: number
  /** Of a new container, in milliseconds. */
  initTime?: number
  logs: string[]
}

interface Idle {
  key: string
  container: Container
  timer: NodeJS.Timeout
}

const isGood = (answer: Reply | Failure): boolean => typeof answer === 'object' && answer.status === 200

/** After a good run, or one whose parameters never reached the container. */
const isReusable = ({ phase, answer }: Outcome): boolean =>
  phase === 'run' && (isGood(answer) || answer === tooDeep)

/** Runs jobs in containers: warm ones first, new ones up to a limit for each key, then in order of arrival. */
export class Pool {
  private readonly limits = new Map<string, LimitFunction>()
  private readonly idle = new Set<Idle>()
  private readonly all = new Set<Container>()
  private isClosed = false

  constructor(private readonly options: PoolOptions) {
    // What a host that was killed could not remove.
    rmSync(options.folder, { recursive: true, force: true })
    mkdirSync(options.folder, { recursive: true })
  }

  /** Runs a job; what goes wrong in it is part of the outcome. */
  async run(job: Job): Promise<Outcome> {
    const limit = this.limits.get(job.key) ?? pLimit(this.options.containersPerAction)
    this.limits.set(job.key, limit)
    const outcome = await limit(() => this.runNow(job))
    if (limit.activeCount + limit.pendingCount === 0) this.limits.delete(job.key)
    return outcome
  }

  /** How many containers there are. */
  size = (): number => this.all.size

  /** Ends all containers; jobs that wait or run end as if theirs had crashed. */
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
      if (!isNew || isGood(outcome.answer)) {
        // The answer to /init says nothing about the run.
        Object.assign(outcome, { phase: 'run', answer: 'exit' })
        outcome.answer = await container.post('/run', job.run(Date.now() + job.timeout), job.timeout)
      }
      outcome.logs = await container.logs.end()
    } catch {
      // There was no container, or no code to put into it; the outcome says so from the start.
    }
    // One that failed is not used again, as on a real server.
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
    // One that died while it was idle stays until it is reaped.
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
