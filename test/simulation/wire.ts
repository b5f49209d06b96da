import { type Faults, type PlatformFault, processFaults, type StoreFault } from './faults'
import type { Process } from './process'
import type { Random } from './random'
import type { Time } from './time'
import type { Trace } from './trace'

/** A request of some process. */
export interface Request<T> {
  process: Process
  /** For the trace: `PUT results/batches/b1/batch.json`. */
  name: string
  /** What may happen to it. */
  faults: readonly (StoreFault | PlatformFault)[]
  /** Done where it arrives, at once and as a whole. What befalls it there, it is told. */
  effect(fault?: string): T
  /** What the process is told where there is no answer, or a refusal. */
  broken(): Error
  refused(): Error
}

/** Kills the process that makes a certain request, or keeps the answer from it. */
export interface CrashPoint {
  /** Counted from 1 over all processes. */
  call: number
  when: 'before' | 'after' | 'unanswered'
}

/** Milliseconds that a request, and its answer, are on their way at most; or what each takes, by the request's name. */
export type Latency = number | ((name: string, way: Way) => number)
export type Way = 'there' | 'back'

const never = <T>(): Promise<T> => new Promise<T>(() => {})

/** What carries requests: each takes some time to arrive and to be answered, so that those of all processes interleave. */
export class Wire {
  calls = 0
  crash?: CrashPoint
  /** The last request whose process was killed. */
  crashed?: string
  /** Requests whose effect is still to come, though their process was told that they failed. */
  late = 0

  constructor(
    readonly time: Time,
    readonly faults: Faults,
    readonly random: Random,
    readonly trace: Trace,
    private readonly latency: Latency,
  ) {}

  request<T>(request: Request<T>): Promise<T> {
    const { process, name } = request
    if (!process.isAlive) return never()
    this.calls++
    const ill = this.misfortune()
    if (ill === 'crash before') {
      this.trace.add(this.time.now, `${process.name} ${name} ✗ crash before`)
      this.crashed = `${process.name} ${name}`
      process.die()
      return never()
    }
    if (ill === 'paused') {
      process.pausedUntil = this.time.now + this.random.between(5_000, 150_000)
      this.trace.add(this.time.now, `${process.name} ${name} ✗ paused`)
    }
    if (ill === 'crash after') this.crashed = `${process.name} ${name}`
    const fault = ill === 'crash after' || ill === 'lost answer' ? ill : this.faults.draw(request.faults)
    return new Promise((resolve, reject) => this.send(request, fault, { resolve, reject }))
  }

  private misfortune() {
    const { crash } = this
    if (crash && this.calls === crash.call)
      return crash.when === 'unanswered' ? 'lost answer' : (`crash ${crash.when}` as const)
    return this.faults.draw(processFaults)
  }

  private send<T>(request: Request<T>, fault: Fate, tell: Tell<T>): void {
    const { process } = request
    const travel = (then: () => void) => this.time.after(this.oneWay(request.name, 'there'), then)
    const settle = (outcome: Outcome<T>) =>
      this.time.after(
        this.oneWay(request.name, 'back'),
        () => ('error' in outcome ? tell.reject(outcome.error) : tell.resolve(outcome.value)),
        process,
      )
    const arrive = () => this.arrive(request, fault)
    const fail = (error: Error) => {
      this.trace.add(this.time.now, `${process.name} ${request.name} ✗ ${fault}`)
      travel(() => settle({ error }))
    }
    switch (fault) {
      case 'crash after':
        travel(arrive)
        process.die()
        break
      case 'refused':
      case 'platform refused':
        fail(request.refused())
        break
      case 'lost request':
      case 'platform lost request':
        fail(request.broken())
        break
      case 'lost answer':
      case 'platform lost answer':
        travel(() => {
          arrive()
          settle({ error: request.broken() })
        })
        break
      case 'sent twice':
        travel(() => {
          arrive()
          this.time.after(this.random.between(1, 2_000), () => settle(arrive()))
        })
        break
      case 'landed late':
      case 'platform landed late':
        this.landLate(arrive)
        fail(request.broken())
        break
      default:
        // Nothing, or a matter of the platform once the request is there.
        travel(() => settle(arrive()))
    }
  }

  private landLate(arrive: () => void): void {
    this.late++
    this.time.after(this.random.between(1_000, 120_000), () => {
      this.late--
      arrive()
    })
  }

  private oneWay(name: string, way: Way): number {
    const { latency } = this
    return typeof latency === 'number' ? this.random.next() * latency : latency(name, way)
  }

  private arrive<T>({ process, name, effect }: Request<T>, fault?: string): Outcome<T> {
    const told = fault ? ` ✗ ${fault}` : ''
    try {
      const value = effect(fault)
      this.trace.add(this.time.now, `${process.name} ${name}${told}`)
      return { value }
    } catch (error) {
      this.trace.add(this.time.now, `${process.name} ${name} → ${(error as Error).message}${told}`)
      return { error }
    }
  }
}

type Fate = StoreFault | PlatformFault | 'crash after' | undefined

interface Tell<T> {
  resolve(value: T): void
  reject(thrown: unknown): void
}

type Outcome<T> = { value: T } | { error: unknown }
