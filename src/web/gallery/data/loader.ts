import type { Problem } from './api'
import { isAbort, problemOf } from './problems'

/** Milliseconds until a failed call is made again. */
const pause = 5000

export interface Loader {
  /** Loads what is missing once so many milliseconds have passed without another call (debounced). */
  nudge(milliseconds: number): void
  /** Forgets what is under way. */
  reset(): void
}

/**
 * Loads what is wanted, one call at a time, until nothing is.
 * @param load returns whether there was anything to load
 */
export function loaderOf(
  after: (milliseconds: number, run: () => void) => () => void,
  load: (abort: AbortSignal) => Promise<boolean>,
  failed: (problem: Problem | undefined) => void,
): Loader {
  let cancel = () => {}
  let abort = new AbortController()
  let isBusy = false

  const nudge = (milliseconds: number) => {
    cancel()
    cancel = after(milliseconds, () => void run())
  }

  const run = async () => {
    if (isBusy) return
    isBusy = true
    const { signal } = abort
    let next: number | undefined
    try {
      next = (await load(signal)) ? 0 : undefined
      if (next !== undefined) failed(undefined)
    } catch (thrown) {
      next = isAbort(thrown) ? undefined : pauseAfter(problemOf(thrown), failed)
    }
    // After a reset, what is under way is another's.
    if (signal.aborted) return
    isBusy = false
    if (next !== undefined) nudge(next)
  }

  return {
    nudge,
    reset: () => {
      cancel()
      abort.abort()
      abort = new AbortController()
      isBusy = false
    },
  }
}

function pauseAfter(problem: Problem, failed: (problem: Problem) => void): number | undefined {
  failed(problem)
  return problem.code === 'unauthorized' ? undefined : pause
}
