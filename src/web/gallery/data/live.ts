import { type ReadonlySignal, signal } from '@preact/signals-core'
import type { Action } from './action'
import type { Browser, Live } from './api'
import type { Purpose } from './budget'

/** Milliseconds between refreshes: more and more, for each is an activation. The local mode has no need to save. */
const pauses = { first: 1500, growth: 1.5, most: 60_000, quick: 1000 }

/** What the action takes for an answer is a twentieth of the time at most. */
const restFor = 20

export interface Refresher {
  state: ReadonlySignal<Live>
  /** Begins anew, with short pauses. */
  begin(): void
  /** Plans the next refresh where there is to be one. @param took how long the answer took the action, milliseconds */
  plan(isOpen: boolean, took: number): void
  stop(): void
}

/** Calls `refresh` again and again while the page is seen, when the budget has room. `refresh` plans the next one. */
export function refresherOf(
  browser: Browser,
  action: Pick<Action, 'waitFor' | 'throttledUntil'>,
  isQuick: () => boolean,
  refresh: (purpose: Purpose) => Promise<void>,
): Refresher {
  const state = signal<Live>({ isOpen: false, isRefreshing: false })
  let pause = pauses.first
  let due: number | undefined
  let cancel = () => {}

  const show = (changes: Partial<Live>) => {
    state.value = { ...state.value, nextAt: undefined, waitsFor: undefined, ...changes }
  }

  const arm = () => {
    cancel()
    if (due === undefined) return
    if (browser.isHidden()) return show({ waitsFor: 'hidden' })
    const rest = Math.max(0, due - browser.now())
    const wait = action.waitFor('live')
    if (rest === 0 && wait === 0) return void run()
    const isThrottled = action.throttledUntil.peek() > browser.now()
    const waitsFor = wait <= rest ? undefined : isThrottled ? 'throttled' : 'budget'
    const sooner = Math.max(rest, wait)
    show({ nextAt: browser.now() + sooner, waitsFor })
    // What people do meanwhile may take what this one waits for: it is looked at again.
    cancel = browser.after(sooner, arm)
  }

  const run = async () => {
    due = undefined
    show({ isRefreshing: true })
    await refresh('live')
    show({ ...state.value, isRefreshing: false })
  }

  const unlisten = browser.onHidden(arm)
  return {
    state,
    begin: () => {
      pause = pauses.first
      due = undefined
      cancel()
      state.value = { isOpen: false, isRefreshing: false }
    },
    plan: (isOpen, took) => {
      state.value = { ...state.value, isOpen }
      due = isOpen ? browser.now() + Math.max(isQuick() ? pauses.quick : pause, took * restFor) : undefined
      pause = Math.min(pauses.most, pause * pauses.growth)
      if (isOpen) arm()
      else show({})
    },
    stop: () => {
      due = undefined
      cancel()
      unlisten()
    },
  }
}
