import { OpenWhiskError } from '../../../src/errors'

/** The limits of a namespace. */
export interface Limits {
  invocationsPerMinute: number
  concurrentInvocations: number
  firesPerMinute: number
}

/** The defaults of Apache OpenWhisk. */
export const defaultLimits: Limits = {
  invocationsPerMinute: 60,
  concurrentInvocations: 30,
  firesPerMinute: 60,
}

const tooMany = (what: string, count: number, allowed: number): OpenWhiskError =>
  new OpenWhiskError(429, `Too many ${what} (count: ${count}, allowed: ${allowed}).`, { retryable: true })

/** Counts requests per clock minute, refused ones included. */
export class Rate {
  private minute = -1
  private count = 0

  constructor(private readonly allowed: number) {}

  /** @param now milliseconds since the epoch @throws OpenWhiskError 429 */
  take(now: number): void {
    const minute = Math.floor(now / 60_000)
    this.count = minute === this.minute ? this.count + 1 : 1
    this.minute = minute
    if (this.count > this.allowed) throw tooMany('requests in the last minute', this.count, this.allowed)
  }
}

/** The limits of one namespace. The rate is checked first, so refusals for concurrency count too. */
export class Throttle {
  /** Activations queued or running, not counting sequences. */
  inFlight = 0
  refused = 0
  private readonly invocations: Rate
  private readonly fires: Rate

  constructor(private readonly limits: Limits) {
    this.invocations = new Rate(limits.invocationsPerMinute)
    this.fires = new Rate(limits.firesPerMinute)
  }

  invocation(now: number): void {
    this.counting(() => {
      this.invocations.take(now)
      const { concurrentInvocations: allowed } = this.limits
      if (this.inFlight >= allowed) throw tooMany('concurrent requests in flight', this.inFlight, allowed)
    })
  }

  fire(now: number): void {
    this.counting(() => this.fires.take(now))
  }

  private counting(check: () => void): void {
    try {
      check()
    } catch (thrown) {
      this.refused++
      throw thrown
    }
  }
}
