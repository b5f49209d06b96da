import { type Limits, ratePerMinute, tooMany } from './limits'

/** Refuses what a namespace asks for beyond its limits, before anything else of a request is looked at. */
export interface Throttle {
  /** Counts an invocation, whatever becomes of it; those of a sequence's components are not counted. @throws HttpError 429 */
  invocation(): void
  /** Counts a fire, whatever becomes of it. @throws HttpError 429 */
  fire(): void
}

/**
 * @param inFlight how many activations of actions wait or run; components of sequences count
 * @param now in milliseconds since the epoch
 */
export function throttleOf(limits: Limits, inFlight: () => number, now: () => number): Throttle {
  const countInvocation = ratePerMinute(limits.invocationsPerMinute, now)
  const allowed = limits.concurrentInvocations
  return {
    invocation() {
      countInvocation()
      if (inFlight() >= allowed) throw tooMany('concurrent requests in flight', inFlight(), allowed)
    },
    fire: ratePerMinute(limits.firesPerMinute, now),
  }
}
