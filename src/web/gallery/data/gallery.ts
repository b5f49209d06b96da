import { computed, effect, untracked } from '@preact/signals-core'
import type { LocalAnswer } from '../contract'
import { actionOf } from './action'
import { ownerOf } from './address'
import type { Browser, Gallery, Result } from './api'
import { batchOf } from './batch'
import { batchesOf } from './batches'
import { type Budget, deployedBudget, unlimited } from './budget'
import { exportsOf } from './exports'
import { localMode } from './local-mode'
import { orderOf } from './order'
import { type OwnerRoutes, ownerRoutes } from './owner'
import { recordCache } from './record-cache'
import { nameAt, type Tracked } from './renumber'
import { noResult, resultOf } from './result'
import { rowsOf } from './rows'
import { selectionOf } from './selection'
import { filterControl, viewOf } from './view'
import { viewerOf } from './viewer'

export * from './api'

/** Creates the state of the page. */
export function openGallery(browser: Browser): Gallery {
  const secret = ownerOf(browser.address())
  const routes = secret === undefined ? undefined : ownerRoutes(browser, secret)
  const { budget, isQuick } = budgetOf(browser, routes)
  const action = actionOf(browser, budget)
  const view = viewOf(browser)
  const filters = filterControl(view)
  const records = recordCache(browser.now)
  const tracked: Tracked[] = [records.tracked]

  const nameOf = (row: number): string | undefined => {
    const [index, keys] = [batch.index.value, batch.keys.value]
    return records.nameAt(row) ?? (index && keys && nameAt(index, keys, row))
  }
  const batches = batchesOf(browser, action, view, isQuick, routes !== undefined)
  const batch = batchOf(browser, action, { isQuick, tracked, nameOf, answered: batches.update })

  const result = resultSignal(batch, filters)
  const rows = rowsOf(browser, action, batch, records, result)
  const selection = selectionOf(result)
  const viewer = viewerOf(view, batch, rows, nameOf, result)
  tracked.push(rows.tracked, selection.tracked, viewer.tracked)

  const stops = [
    effect(() => {
      const chosen = batches.chosen.value
      untracked(() => {
        records.clear()
        selection.clear()
        viewer.forget()
        rows.top.value = rows.focused.value = undefined
        batch.open(chosen)
      })
    }),
    // A search needs all keys, and so does a selection in an open batch: a new index renumbers its rows by key.
    effect(() => {
      const isNeeded = filters.now.value.search !== ''
      const isKept = selection.count.value > 0 && batch.live.value.isOpen
      const isThere = batch.state.value.is === 'ready'
      if (isThere && (isNeeded || isKept)) untracked(batch.loadKeys)
    }),
  ]

  return {
    ...{ batch, filters, result, rows, viewer, selection },
    batches: {
      ...batches,
      reload: () => {
        batches.reload()
        batch.refresh('user')
      },
    },
    exports: exportsOf(action, batch.index, filters, result, selection),
    local: routes && localMode(browser, routes, batches, batch),
    close: () => {
      for (const stop of stops) stop()
      viewer.stop()
      for (const part of [rows, batch, batches, view]) part.close()
    },
  }
}

/** Unlimited calls in the local mode, unless it runs with the limits of OpenWhisk. */
function budgetOf({ now }: Browser, routes?: OwnerRoutes): { budget: Budget; isQuick: () => boolean } {
  let budget = routes ? unlimited : deployedBudget(now)
  const usual = 60
  routes?.call<LocalAnswer>('').then(
    ({ limits }) => {
      if (limits.invocationsPerMinute <= usual) budget = deployedBudget(now)
    },
    // Reported when the owner does something.
    () => {},
  )
  return {
    budget: { waitFor: (purpose) => budget.waitFor(purpose), spend: () => budget.spend() },
    isQuick: () => budget === unlimited,
  }
}

function resultSignal(
  { index, keys }: Pick<ReturnType<typeof batchOf>, 'index' | 'keys'>,
  filters: Gallery['filters'],
) {
  const sort = computed(() => filters.now.value.sort)
  const order = computed(() => index.value && orderOf(index.value, sort.value))
  const search = computed(() => filters.now.value.search)
  const having = computed(() => (search.value === '' ? undefined : keys.value?.having(search.value)))
  return computed((): Result => {
    const now = index.value
    if (!now) return noResult
    const found = resultOf(now, filters.now.value, order.value, having.value)
    const share = search.value === '' ? 1 : (keys.value?.share.value ?? 0)
    return share < 1 ? { ...found, searching: share } : found
  })
}
