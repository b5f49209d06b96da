import { type Faults, type PlatformFault, processFaults, type StoreFault } from './faults'
import type { Process } from './process'
import type { Random } from './random'
import type { Time } from './time'
import type { Trace } from './trace'

/** A request of a process. */
export interface Request<T> {
  process: Process
  /** For the trace: `PUT results/batches/b1/batch.json`. */
  name: string
  /** Possible faults. */
  faults: readonly (StoreFault | PlatformFault)[]
  /** Applied atomically on arrival. @param fault that occurs there */
  effect(fault?: string): T
  /** The error of a lost response, and of a refusal. */
  broken(): Error
  refused(): Error
}

/** Kills the process at a request, or drops the response. */
export interface CrashPoint {
  /** Counted from 1 over all processes. */
  call: number
  when: 'before' | 'after' | 'unanswered'
}

/** Maximum latency of a request and of its response, milliseconds; or a function of its name. */
export type Latency = number | ((name: string, way: Way) => number)
export type Way = 'there' | 'back'

const never = <T>(): Promise<T> => new Promise<T>(() => {})

/** Carries requests with random latency, so that those of all processes interleave. */
export class Wire {
  calls = 0
  crash?: CrashPoint
  /** The last request whose process was killed. */
  crashed?: string
  /** Requests that will still take effect, though their process saw them fail. */
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
    const fate = this.drawFault()
    if (fate === 'crash before') {
      this.trace.add(this.time.now, `${process.name} ${name} ✗ crash before`)
      this.crashed = `${process.name} ${name}`
      process.die()
      return never()
    }
    if (fate === 'paused') {
      process.pausedUntil = this.time.now + this.random.between(5_000, 150_000)
      this.trace.add(this.time.now, `${process.name} ${name} ✗ paused`)
    }
    if (fate === 'crash after') this.crashed = `${process.name} ${name}`
    const fault = fate === 'crash after' || fate === 'lost answer' ? fate : this.faults.draw(request.faults)
    return new Promise((resolve, reject) => this.send(request, fault, { resolve, reject }))
  }

  private drawFault() {
    const { crash } = this
    if (crash && this.calls === crash.call)
      return crash.when === 'unanswered' ? 'lost answer' : (`crash ${crash.when}` as const)
    return this.faults.draw(processFaults)
  }

  private send<T>(request: Request<T>, fault: Fault, callbacks: Callbacks<T>): void {
    const { process } = request
    const travel = (then: () => void) => this.time.after(this.oneWay(request.name, 'there'), then)
    const respond = (outcome: Outcome<T>) =>
      this.time.after(
        this.oneWay(request.name, 'back'),
        () => ('error' in outcome ? callbacks.reject(outcome.error) : callbacks.resolve(outcome.value)),
        process,
      )
    const arrive = () => this.arrive(request, fault)
    const fail = (error: Error) => {
      this.trace.add(this.time.now, `${process.name} ${request.name} ✗ ${fault}`)
      travel(() => respond({ error }))
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
          respond({ error: request.broken() })
        })
        break
      case 'sent twice':
        travel(() => {
          arrive()
          this.time.after(this.random.between(1, 2_000), () => respond(arrive()))
        })
        break
      case 'landed late':
      case 'platform landed late':
        this.landLate(arrive)
        fail(request.broken())
        break
      default:
        // No fault, or one that the platform handles on arrival.
        travel(() => respond(arrive()))
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
    const suffix = fault ? ` ✗ ${fault}` : ''
    try {
      const value = effect(fault)
      this.trace.add(this.time.now, `${process.name} ${name}${suffix}`)
      return { value }
    } catch (error) {
      this.trace.add(this.time.now, `${process.name} ${name} → ${(error as Error).message}${suffix}`)
      return { error }
    }
  }
}

type Fault = StoreFault | PlatformFault | 'crash after' | undefined

interface Callbacks<T> {
  resolve(value: T): void
  reject(thrown: unknown): void
}

type Outcome<T> = { value: T } | { error: unknown }
