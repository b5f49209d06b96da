/** Who wants to call the action: people go before refreshes. */
export type Purpose = 'user' | 'live'

export interface Budget {
  /** Milliseconds until a call may be made; 0 now. */
  waitFor(purpose: Purpose): number
  spend(): void
}

/** Locally, calls cost nothing. */
export const unlimited: Budget = { waitFor: () => 0, spend: () => {} }

/**
 * Calls in ten minutes: `most` at once and one more each `each` milliseconds are 20. Refreshes leave `reserve` of them to
 * people, who open a batch and scroll through some hundred photos with that many. People may go into debt, which refreshes
 * make up for by waiting.
 */
const sustained = { most: 14, each: 100_000, reserve: 7, debt: 6 }

/** However much people do, a namespace has 60 calls a minute for all: 10 at once, then one each two seconds. */
const people = { most: 10, each: 2000 }

function bucket(now: () => number, { most, each, debt = 0 }: { most: number; each: number; debt?: number }) {
  let level = most
  let at = now()
  const refill = () => {
    const passed = Math.max(0, now() - at)
    level = Math.min(most, level + passed / each)
    at = now()
    return level
  }
  return {
    /** Milliseconds until so many are there. */
    until: (least: number) => Math.max(0, Math.ceil((least - refill()) * each)),
    take: () => {
      level = Math.max(-debt, refill() - 1)
    },
  }
}

/** The page itself has been the first call. */
export function deployedBudget(now: () => number): Budget {
  const all = bucket(now, sustained)
  const quick = bucket(now, people)
  all.take()
  return {
    waitFor: (purpose) => (purpose === 'live' ? all.until(sustained.reserve + 1) : quick.until(1)),
    spend: () => {
      all.take()
      quick.take()
    },
  }
}
