import { type Limits, ratePerMinute, tooMany } from './limits'

/** Limits of a namespace, checked before anything else. */
export interface Throttle {
  /** Counts an invocation, including refused ones. Components of a sequence do not count. @throws HttpError 429 */
  invocation(): void
  /** Counts a fire, including refused ones. @throws HttpError 429 */
  fire(): void
}

/**
 * @param inFlight number of waiting and running activations of actions, including components of sequences
 * @param now current time, milliseconds since the epoch
 * @param refused called for each refusal
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
