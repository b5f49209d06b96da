/** How fast something gets on, as far as that can be told. */
export interface Pace {
  /** To two decimals. */
  perSecond: number | null
  /** Until all is done at that pace, whole seconds. */
  secondsLeft: number | null
}

/** The pace is that of so long, milliseconds … */
const span = 30_000

/** … and of so many changes at least: large chunks report seldom, and many images at a time. */
const fewestChanges = 4

/** Measures the pace of what is counted, over a sliding window. */
export class Pacemaker {
  /** When the count changed, and to what; oldest first. */
  private changes: { at: number; done: number }[] = []

  /**
   * @param done how many are done now
   * @param total undefined while it is not known
   * @param now milliseconds since the epoch
   */
  measure(done: number, total: number | undefined, now = Date.now()): Pace {
    const last = this.changes.at(-1)
    // Fewer than before: another run has begun.
    if (last && done < last.done) this.changes = []
    if (done !== last?.done) this.changes.push({ at: now, done })
    while (this.changes.length > fewestChanges && (this.changes[1]?.at ?? now) <= now - span)
      this.changes.shift()
    const [first = { at: now, done }] = this.changes
    return paceOf(done - first.done, total === undefined ? undefined : total - done, now - first.at)
  }
}

/**
 * @param done how many were done in a time
 * @param left how many there are to do; undefined where it is not known
 * @param elapsed that time, milliseconds
 */
export function paceOf(done: number, left: number | undefined, elapsed: number): Pace {
  if (done <= 0 || elapsed <= 0) return { perSecond: null, secondsLeft: null }
  const perSecond = (done * 1000) / elapsed
  return {
    perSecond: Math.round(perSecond * 100) / 100,
    secondsLeft: left === undefined ? null : Math.ceil(left / perSecond),
  }
}

/** `45 s`, `3 min`, `2 h 5 min`, `3 d 4 h`; minutes are rounded up. */
export function duration(seconds: number): string {
  if (seconds < 60) return `${seconds} s`
  const minutes = Math.ceil(seconds / 60)
  if (minutes < 60) return `${minutes} min`
  const hours = Math.floor(minutes / 60)
  if (hours < 24) return `${hours} h ${minutes % 60} min`
  return `${Math.floor(hours / 24)} d ${hours % 24} h`
}
