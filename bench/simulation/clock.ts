import timers from 'node:timers/promises'

/** What {@link VirtualClock.setTimeout} returns; `callback` is gone once it was called or cleared. */
export interface Timer {
  callback: (() => void) | undefined
}

/** Has everything run that can run now: promises and streams, which know no time. */
const drained = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

/** A clock in whole milliseconds that stands still while anything runs, and jumps when everything waits. */
export class VirtualClock {
  private readonly due = new Map<number, Timer[]>()
  private waiting = 0

  /** @param now milliseconds since the epoch */
  constructor(public now: number) {}

  setTimeout(callback: () => void, milliseconds = 0): Timer {
    const timer = { callback }
    const at = this.now + Math.max(1, Math.ceil(milliseconds))
    const others = this.due.get(at)
    if (others) others.push(timer)
    else this.due.set(at, [timer])
    this.waiting++
    return timer
  }

  clearTimeout(timer: Timer | undefined): void {
    if (timer?.callback) this.waiting--
    if (timer) timer.callback = undefined
  }

  sleep(milliseconds: number): Promise<void> {
    return new Promise((resolve) => this.setTimeout(resolve, milliseconds))
  }

  /**
   * Lets time pass until a promise settles.
   * @param end time at which it is given up
   * @returns what the promise resolves to, or undefined when time was up
   * @throws Error when nothing is left that could settle it
   */
  async run<T>(work: Promise<T>, end = Number.POSITIVE_INFINITY): Promise<T | undefined> {
    let isSettled = false
    const settle = () => {
      isSettled = true
    }
    work.then(settle, settle)
    await drained()
    while (!isSettled) {
      if (this.waiting === 0) throw new Error('Everything waits, and nothing is left to wait for')
      if (!this.goOn(end)) return undefined
      await drained()
    }
    return work
  }

  /** Goes on to the next millisecond at which something is due. @returns false when that is after `end` */
  private goOn(end: number): boolean {
    let timers: Timer[] | undefined
    do {
      if (this.now >= end) return false
      timers = this.due.get(++this.now)
    } while (!timers)
    this.due.delete(this.now)
    for (const timer of timers) {
      const { callback } = timer
      this.clearTimeout(timer)
      callback?.()
    }
    return true
  }
}

/** Has the whole process live by a virtual clock. Meant for processes that do nothing else. */
export function installClock(clock: VirtualClock): void {
  const RealDate = Date
  class VirtualDate extends RealDate {
    constructor(...args: unknown[]) {
      super(...((args.length === 0 ? [clock.now] : args) as [number]))
    }
    static override now(): number {
      return clock.now
    }
  }
  Object.assign(globalThis, {
    Date: VirtualDate,
    setTimeout: clock.setTimeout.bind(clock),
    clearTimeout: clock.clearTimeout.bind(clock),
  })
  performance.now = () => clock.now
  Object.assign(timers, {
    setTimeout: (milliseconds?: number, value?: unknown) => clock.sleep(milliseconds ?? 0).then(() => value),
  })
}

/** Has `Math.random` give the same numbers in each process (mulberry32). */
export function installRandom(seed: number): void {
  let state = seed
  Math.random = () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}
