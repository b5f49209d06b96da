import { type ReadonlySignal, signal } from '@preact/signals-core'
import type { Action } from './action'
import type { Browser, Live } from './api'
import type { Purpose } from './budget'

/** Intervals between refreshes, milliseconds. They grow, because each refresh is an activation; `quick` is for the local mode. */
const pauses = { first: 1500, growth: 1.5, max: 60_000, quick: 1000 }

/** Waits this many times the duration of an answer, so that the action is busy a twentieth of the time at most. */
const idleFactor = 20

export interface Refresher {
  state: ReadonlySignal<Live>
  /** Starts again with short intervals. */
  begin(): void
  /** Schedules the next refresh, if the batch is open. @param took duration in the action, milliseconds */
  plan(isOpen: boolean, took: number): void
  stop(): void
}

/** Calls `refresh` while the page is visible and the budget allows; `refresh` calls plan() for the next one. */
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
    // Calls of the user may use the budget meanwhile, so check again.
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
      due = isOpen ? browser.now() + Math.max(isQuick() ? pauses.quick : pause, took * idleFactor) : undefined
      pause = Math.min(pauses.max, pause * pauses.growth)
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
