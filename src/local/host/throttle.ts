import { type Limits, ratePerMinute, tooMany } from './limits'

/** Enforces the limits of a namespace, before anything else of a request is checked. */
export interface Throttle {
  /** Counts an invocation, refused ones included. A sequence's components do not count. @throws HttpError 429 */
  invocation(): void
  /** Counts a fire, refused ones included. @throws HttpError 429 */
  fire(): void
}

/**
 * @param inFlight the number of waiting and running activations of actions, components of sequences included
 * @param now in milliseconds since the epoch
 * @param refused told of each refusal
 */
export function throttleOf(
  limits: Limits,
  inFlight: () => number,
  now: () => number,
  refused: (limit: 'invocations' | 'fires') => void,
): Throttle {
  const countInvocation = ratePerMinute(limits.invocationsPerMinute, now)
  const countFire = ratePerMinute(limits.firesPerMinute, now)
  const allowed = limits.concurrentInvocations
  const check = (limit: 'invocations' | 'fires', count: () => void): void => {
    try {
      count()
    } catch (thrown) {
      refused(limit)
      throw thrown
    }
  }
  return {
    invocation: () =>
      check('invocations', () => {
        countInvocation()
        if (inFlight() >= allowed) throw tooMany('concurrent requests in flight', inFlight(), allowed)
      }),
    fire: () => check('fires', countFire),
  }
}
