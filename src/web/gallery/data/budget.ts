/** Who makes a call: users take precedence over refreshes. */
export type Purpose = 'user' | 'live'

export interface Budget {
  /** Milliseconds until a call is allowed; 0 if it is now. */
  waitFor(purpose: Purpose): number
  spend(): void
}

/** Calls to the local mode are free. */
export const unlimited: Budget = { waitFor: () => 0, spend: () => {} }

/**
 * Token bucket for all calls: `most` at once and one more every `each` milliseconds make 20 calls in ten minutes. Refreshes leave
 * `reserve` calls to the user, enough to open a batch and scroll through some hundred photos. The user may overdraw by `debt`,
 * which delays refreshes.
 */
const totalLimits = { capacity: 14, interval: 100_000, reserve: 7, debt: 6 }

/** Token bucket of the user: a namespace has 60 calls a minute in total; 10 at once, then one every two seconds. */
const userLimits = { capacity: 10, interval: 2000 }

function bucket(
  now: () => number,
  { capacity, interval, debt = 0 }: { capacity: number; interval: number; debt?: number },
) {
  let level = capacity
  let at = now()
  const refill = () => {
    const passed = Math.max(0, now() - at)
    level = Math.min(capacity, level + passed / interval)
    at = now()
    return level
  }
  return {
    /** Milliseconds until `least` tokens are available. */
    until: (least: number) => Math.max(0, Math.ceil((least - refill()) * interval)),
    take: () => {
      level = Math.max(-debt, refill() - 1)
    },
  }
}

/** Loading the page was the first call. */
export function deployedBudget(now: () => number): Budget {
  const all = bucket(now, totalLimits)
  const quick = bucket(now, userLimits)
  all.take()
  return {
    waitFor: (purpose) => (purpose === 'live' ? all.until(totalLimits.reserve + 1) : quick.until(1)),
    spend: () => {
      all.take()
      quick.take()
    },
  }
}
