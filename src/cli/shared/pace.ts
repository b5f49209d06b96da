/** Speed of a task, as far as known. */
export interface Pace {
  /** Rounded to two decimals. */
  perSecond: number | null
  /** Estimated time left, whole seconds. */
  secondsLeft: number | null
}

/** Length of the sliding window, milliseconds. */
const windowLength = 30_000

/** Minimum number of changes in the window: large chunks report rarely, many images at a time. */
const minChanges = 4

/** Measures speed over a sliding window. */
export class PaceMeter {
  /** Changes of the count, oldest first. */
  private changes: { at: number; done: number }[] = []

  /**
   * @param done current count
   * @param total undefined if unknown
   * @param now milliseconds since the epoch
   */
  measure(done: number, total: number | undefined, now = Date.now()): Pace {
    const last = this.changes.at(-1)
    // The count fell: a new run started.
    if (last && done < last.done) this.changes = []
    if (done !== last?.done) this.changes.push({ at: now, done })
    while (this.changes.length > minChanges && (this.changes[1]?.at ?? now) <= now - windowLength)
      this.changes.shift()
    const [first = { at: now, done }] = this.changes
    return paceOf(done - first.done, total === undefined ? undefined : total - done, now - first.at)
  }
}

/**
 * @param done items done in `elapsed`
 * @param left items left; undefined if unknown
 * @param elapsed milliseconds
 */
export function paceOf(done: number, left: number | undefined, elapsed: number): Pace {
  if (done <= 0 || elapsed <= 0) return { perSecond: null, secondsLeft: null }
  const perSecond = (done * 1000) / elapsed
  return {
    perSecond: Math.round(perSecond * 100) / 100,
    secondsLeft: left === undefined ? null : Math.ceil(left / perSecond),
  }
}

/** `45 s`, `3 min`, `2 h 5 min`, `3 d 4 h`; rounded up to minutes. */
export function duration(seconds: number): string {
  if (seconds < 60) return `${seconds} s`
  const minutes = Math.ceil(seconds / 60)
  if (minutes < 60) return `${minutes} min`
  const hours = Math.floor(minutes / 60)
  if (hours < 24) return `${hours} h ${minutes % 60} min`
  return `${Math.floor(hours / 24)} d ${hours % 24} h`
}
