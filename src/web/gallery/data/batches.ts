import { computed, effect, type ReadonlySignal, signal } from '@preact/signals-core'
import type { BatchSummary } from '../../../schema'
import { latestRecords } from '../contract'
import type { Action } from './action'
import { type Batches, type Browser, noFilters, type State } from './api'
import { stateOf } from './batch'
import type { Purpose } from './budget'
import { refresherOf } from './live'
import { problemOf } from './problems'
import type { ViewState } from './view'

export interface BatchesState extends Batches {
  /** Updates the summary of a batch. */
  update(summary: BatchSummary): void
  /** Opens a batch as soon as it is listed. */
  follow(isWanted: (batch: string) => boolean): void
  close(): void
}

/** List of batches. */
export function batchesOf(
  browser: Browser,
  action: Action,
  view: ViewState,
  isQuick: () => boolean,
  isLocal: boolean,
): BatchesState {
  const state = signal<State>({ is: 'loading' })
  const list = signal<BatchSummary[]>([])
  let wanted: ((batch: string) => boolean) | undefined
  let isLoading = false

  const chosen: ReadonlySignal<string | undefined> = computed(
    () => view.now.value.batch ?? latestRecords(list.value),
  )

  const open = (batch: string) => {
    const { batch: before, filters } = view.now.peek()
    // Filters may not apply to another batch.
    const { sort } = filters
    if (batch !== before) view.set({ batch, photo: undefined, filters: { ...noFilters, sort } }, 'push')
  }

  const load = async (purpose: Purpose): Promise<void> => {
    if (isLoading) return
    isLoading = true
    const began = browser.now()
    try {
      const { batches } = await action.ask<{ batches: BatchSummary[] }>({}, purpose)
      list.value = batches
      state.value = { is: batches.length > 0 ? 'ready' : 'empty' }
      const found = batches.find(({ batch }) => wanted?.(batch))
      if (found) {
        wanted = undefined
        open(found.batch)
      }
    } catch (thrown) {
      if (list.peek().length === 0) state.value = stateOf(problemOf(thrown))
    }
    isLoading = false
    const isRefused = state.peek().is === 'refused'
    // On a cluster, the list is polled only while it is empty.
    live.plan(!isRefused && (isLocal || list.peek().length === 0), browser.now() - began)
  }

  const live = refresherOf(browser, action, isQuick, load)
  load('user')
  // Put the open batch into the address, so that a newer one does not replace it.
  const stop = effect(() => {
    const batch = chosen.value
    if (batch !== undefined && view.now.peek().batch === undefined) view.set({ batch }, 'replace')
  })

  return {
    ...{ state, list, chosen, open },
    reload: () => void load('user'),
    update: (summary) => {
      list.value = list.peek().map((known) => (known.batch === summary.batch ? summary : known))
    },
    follow: (isWanted) => {
      wanted = isWanted
      load('user')
    },
    close: () => {
      stop()
      live.stop()
    },
  }
}
