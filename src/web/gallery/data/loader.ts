import type { Problem } from './api'
import { isAbort, problemOf } from './problems'

/** Delay before retrying a failed call, milliseconds. */
const pause = 5000

export interface Loader {
  /** Starts loading after a delay; replaces an earlier schedule. */
  schedule(milliseconds: number): void
  /** Aborts the current load. */
  reset(): void
}

/**
 * Calls `load` serially until nothing is left to load; retries after a failure.
 * @param load resolves to whether there was anything to load
 */
export function loaderOf(
  after: (milliseconds: number, run: () => void) => () => void,
  load: (abort: AbortSignal) => Promise<boolean>,
  failed: (problem: Problem | undefined) => void,
): Loader {
  let cancel = () => {}
  let abort = new AbortController()
  let isBusy = false

  const schedule = (milliseconds: number) => {
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
    // Aborted by reset(): another run owns the state.
    if (signal.aborted) return
    isBusy = false
    if (next !== undefined) schedule(next)
  }

  return {
    schedule,
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
