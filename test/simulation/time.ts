import type { Clock } from '../../src/clock'
import type { Process } from './process'

interface Event {
  at: number
  /** Breaks ties between events of the same time. */
  order: number
  /** Events are dropped when their owner dies, and postponed while it is paused. */
  owner?: Process
  happen(): void
}

const isBefore = (a: Event, b: Event): boolean => a.at < b.at || (a.at === b.at && a.order < b.order)

/**
 * Virtual time: an event queue. It stands still while code runs, and jumps to the next event once all promises are
 * drained. Nothing reads the machine's clock, so a run depends only on its seed.
 */
export class Time {
  /** Milliseconds since the epoch, with fractions; processes only see their own clocks. */
  now: number
  /** Events so far. */
  events = 0
  private readonly heap: Event[] = []
  private scheduled = 0

  constructor(start: number) {
    this.now = start
  }

  after(milliseconds: number, happen: () => void, owner?: Process): void {
    this.push({ at: this.now + Math.max(0, milliseconds), order: this.scheduled++, owner, happen })
  }

  sleep(milliseconds: number, owner?: Process): Promise<void> {
    return new Promise((resolve) => this.after(milliseconds, resolve, owner))
  }

  /**
   * Runs events until a condition holds or none are left.
   * @param until checked before each event
   * @param maxEvents in total: more are a livelock
   * @returns whether the condition holds
   */
  run(until: () => boolean, maxEvents = Number.POSITIVE_INFINITY): Promise<boolean> {
    return new Promise((resolve, reject) => {
      const step = (): void => {
        try {
          const isOver = until()
          const event = isOver ? undefined : this.pop()
          if (event) {
            if (++this.events > maxEvents) throw new Error(`More than ${maxEvents} events`)
            event.happen()
            drained(step)
          } else resolve(isOver)
        } catch (thrown) {
          reject(thrown)
        }
      }
      drained(step)
    })
  }

  /** The next event of a live owner. Events of a paused owner are postponed. */
  private pop(): Event | undefined {
    for (;;) {
      const event = this.shift()
      if (!event) return undefined
      const { owner } = event
      if (owner && !owner.isAlive) continue
      if (owner && owner.pausedUntil > event.at) {
        this.push({ ...event, at: owner.pausedUntil })
        continue
      }
      this.now = Math.max(this.now, event.at)
      return event
    }
  }

  private push(event: Event): void {
    const { heap } = this
    let place = heap.push(event) - 1
    while (place > 0) {
      const parent = (place - 1) >> 1
      const above = heap[parent] as Event
      if (!isBefore(event, above)) break
      heap[place] = above
      place = parent
    }
    heap[place] = event
  }

  private shift(): Event | undefined {
    const { heap } = this
    const first = heap[0]
    const last = heap.pop()
    if (!first || !last || heap.length === 0) return first
    let place = 0
    for (;;) {
      const left = 2 * place + 1
      if (left >= heap.length) break
      const right = left + 1
      const child = right < heap.length && isBefore(heap[right] as Event, heap[left] as Event) ? right : left
      if (!isBefore(heap[child] as Event, last)) break
      heap[place] = heap[child] as Event
      place = child
    }
    heap[place] = last
    return first
  }
}

/** Calls back once no promise can make progress: ticks run after the microtask queue is empty. */
const drained = (callback: () => void): void => queueMicrotask(() => process.nextTick(callback))

/** Offset of a wall clock from true time, milliseconds. */
export type Skew = (now: number) => number

/** A process's clock: it shows skewed time but sleeps by true time. */
export const clockOf = (time: Time, skew: Skew, owner?: Process): Clock => ({
  now: () => Math.floor(time.now + skew(time.now)),
  sleep: (milliseconds) => time.sleep(milliseconds, owner),
})
