import { batch as atOnce, computed, type ReadonlySignal, signal } from '@preact/signals-core'
import type { BatchSummary } from '../../../schema'
import type { IndexAnswer, Notice } from '../contract'
import type { Action } from './action'
import type { Browser, OpenBatch, Problem, State } from './api'
import type { Purpose } from './budget'
import { type Keys, keysOf } from './keys'
import { refresherOf } from './live'
import { loadIndex, type PhotoIndex } from './photo-index'
import { isAbort, problemOf } from './problems'
import { renumberingOf, type Tracked } from './renumber'

export interface BatchState extends OpenBatch {
  index: ReadonlySignal<PhotoIndex | undefined>
  keys: ReadonlySignal<Keys | undefined>
  /** Incremented when rows are renumbered. */
  generation: ReadonlySignal<number>
  /** Opens a batch, or none. */
  open(batch: string | undefined): Promise<void>
  refresh(purpose: Purpose): Promise<void>
  /** Keeps refreshing for this many milliseconds although the batch has ended: it was fired again. */
  expectChange(within: number): void
  /** Loads all keys; a failure becomes a notice. */
  loadKeys(): Promise<void>
  close(): void
}

export interface BatchOptions {
  /** Calls are free. */
  isQuick: () => boolean
  tracked: Tracked[]
  /** Name of a row's image, if known. */
  nameOf: (row: number) => string | undefined
  /** Called with each summary. */
  answered: (summary: BatchSummary) => void
}

export const stateOf = (problem: Problem): State => ({
  is: problem.code === 'unauthorized' ? 'refused' : 'failed',
  problem,
})

/** The open batch: loads it, and refreshes it while it is open. */
export function batchOf(browser: Browser, action: Action, options: BatchOptions): BatchState {
  const state = signal<State>({ is: 'loading' })
  const summary = signal<BatchSummary | undefined>()
  const notices = signal<Notice[]>([])
  const index = signal<PhotoIndex | undefined>()
  const keys = signal<Keys | undefined>()
  const generation = signal(0)
  const problem = signal<Problem | undefined>()
  const keysProblem = signal<Problem | undefined>()
  let shown: string | undefined
  let opened: { batch: string; abort: AbortController } | undefined
  let refreshing: Promise<void> | undefined
  let expectedUntil = 0

  const keysFor = ({ index: directory }: IndexAnswer, abort: AbortSignal): Keys => {
    const sourceOf = () => {
      const now = index.peek()
      return now?.id === directory.id ? now.source : directory
    }
    return keysOf(browser.fetch, directory, sourceOf, abort)
  }

  const show = (loaded: PhotoIndex) => {
    index.value = loaded
    if (loaded.rows > 0 || loaded.directory.rows === 0)
      state.value = { is: loaded.rows > 0 ? 'ready' : 'empty' }
  }

  /** Shows rows as they are loaded. */
  const showFirst = async (answer: IndexAnswer, abort: AbortSignal) => {
    keys.value = keysFor(answer, abort)
    const showSome = (loaded: PhotoIndex) => !abort.aborted && show(loaded)
    showSome(await loadIndex(browser.fetch, answer, showSome, abort))
  }

  /** Names of the tracked rows, where known. */
  const namedRows = (): Map<number, string> => {
    const named = new Map<number, string>()
    for (const row of options.tracked.flatMap((tracked) => [...tracked.rows()])) {
      const name = options.nameOf(row)
      if (name !== undefined) named.set(row, name)
    }
    return named
  }

  /** Replaces the index once it is loaded; selection and scroll position are kept. */
  const replace = async (answer: IndexAnswer, before: PhotoIndex, abort: AbortSignal) => {
    const after = await loadIndex(browser.fetch, answer, () => {}, abort)
    const fresh = keysFor(answer, abort)
    if (namedRows().size > 0) await fresh.load()
    abort.throwIfAborted()
    // After the keys: rows may have been selected while they loaded.
    const to = renumberingOf(namedRows(), after, fresh)
    atOnce(() => {
      for (const tracked of options.tracked) tracked.renumber(to, before, after)
      keys.value = fresh
      show(after)
      generation.value++
    })
  }

  const apply = async (answer: IndexAnswer, abort: AbortSignal) => {
    summary.value = answer.summary
    notices.value = answer.notice ? [answer.notice] : []
    options.answered(answer.summary)
    const before = index.peek()
    const isSame = before?.id === answer.index.id && shown === JSON.stringify(answer.shown)
    if (isSame && before.rows === before.directory.rows) index.value = { ...before, source: answer.index }
    else if (before && before.rows > 0) await replace(answer, before, abort)
    else await showFirst(answer, abort)
    shown = JSON.stringify(answer.shown)
  }

  const loadOnce = async (batch: string, purpose: Purpose, abort: AbortSignal): Promise<number> => {
    const answer = await action.ask<IndexAnswer>({ batch, format: 'index' }, purpose, abort)
    await apply(answer, abort)
    return answer.took
  }

  const load = async (purpose: Purpose): Promise<void> => {
    if (!opened) return
    const { batch, abort } = opened
    let took = 0
    try {
      took = await loadOnce(batch, purpose, abort.signal).catch((thrown) => {
        // The index was replaced, or its URL expired, during the request.
        if (problemOf(thrown).code !== 'index_changed') throw thrown
        return loadOnce(batch, purpose, abort.signal)
      })
      problem.value = undefined
    } catch (thrown) {
      if (isAbort(thrown) || abort.signal.aborted) return
      problem.value = problemOf(thrown)
      if (!index.peek()?.rows) state.value = stateOf(problem.value)
    }
    const isExpected = browser.now() < expectedUntil
    live.plan(isExpected || mayChange(summary.peek(), problem.peek()), took)
  }

  const refresh = (purpose: Purpose): Promise<void> => {
    if (refreshing) return refreshing
    const loading = load(purpose).finally(() => {
      // Another batch may have been opened meanwhile.
      if (refreshing === loading) refreshing = undefined
    })
    refreshing = loading
    return loading
  }

  const live = refresherOf(browser, action, options.isQuick, refresh)

  const loadKeys = async (): Promise<void> => {
    const wanted = keys.peek()
    try {
      await wanted?.load()
      keysProblem.value = undefined
    } catch (thrown) {
      const found = problemOf(thrown)
      if (isAbort(thrown) || wanted !== keys.peek()) return
      if (found.code !== 'index_changed') keysProblem.value = found
      else await refresh('user')
    }
  }

  return {
    ...{ state, summary, index, keys, generation, refresh, loadKeys },
    expectChange: (within) => {
      expectedUntil = browser.now() + within
    },
    notices: computed(() => [...notices.value, keysProblem.value].filter((notice) => notice !== undefined)),
    isPartial: computed(() => index.value?.isPartial ?? false),
    loaded: computed(() => {
      const { rows = 0, directory } = index.value ?? {}
      return directory ? rows / Math.max(1, directory.rows) : 0
    }),
    live: computed(() => ({ ...live.state.value, problem: problem.value })),
    open: async (batch) => {
      opened?.abort.abort()
      refreshing = undefined
      expectedUntil = 0
      opened = batch === undefined ? undefined : { batch, abort: new AbortController() }
      atOnce(() => {
        live.begin()
        state.value = { is: 'loading' }
        summary.value = index.value = keys.value = undefined
        problem.value = keysProblem.value = undefined
        notices.value = []
      })
      await refresh('user')
    },
    close: () => {
      opened?.abort.abort()
      opened = undefined
      live.stop()
    },
  }
}

/** Whether to refresh again: open batches (uploads until the day ends), and failures that are not permanent. */
function mayChange(summary: BatchSummary | undefined, problem: Problem | undefined): boolean {
  if (problem && ['unauthorized', 'batch_not_found', 'bad_parameter'].includes(problem.code)) return false
  if (!summary) return problem !== undefined
  return problem !== undefined || summary.state === 'planning' || summary.state === 'running'
}
