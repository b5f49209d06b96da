import { computed, effect, type ReadonlySignal, signal } from '@preact/signals-core'
import type { RowsAnswer } from '../contract'
import type { Action } from './action'
import type { Browser, Cell, Problem, Result, Rows } from './api'
import type { BatchState } from './batch'
import { loaderOf } from './loader'
import { rowsToLoad, type Window } from './prefetch'
import { GalleryError, problemOf } from './problems'
import { toRanges } from './ranges'
import type { RecordCache } from './record-cache'
import type { Tracked } from './renumber'

/** Debounce intervals, milliseconds: short while scrolling, longer for jumps and typing. */
const debounce = { scroll: 30, jump: 200, filter: 250 }

export interface RowsState extends Rows {
  /** As `want`, for the photos next to the open one. */
  wantBeside(first: number, last: number): void
  tracked: Tracked
  close(): void
}

/** Loads records of visible rows. */
export function rowsOf(
  browser: Browser,
  action: Action,
  batch: Pick<BatchState, 'index' | 'keys' | 'generation' | 'refresh'>,
  records: RecordCache,
  result: ReadonlySignal<Result>,
): RowsState {
  const problem = signal<Problem | undefined>()
  const top: Rows['top'] = { value: undefined }
  const focused: Rows['focused'] = { value: undefined }

  const load = async (window: Window | undefined, abort: AbortSignal): Promise<boolean> => {
    const index = batch.index.peek()
    if (!window || !index) return false
    const rows = rowsToLoad(result.peek().rows, window, records.isFresh)
    if (rows.length === 0) return false
    const query = { batch: index.batch, index: index.id, rows: toRanges(rows) }
    try {
      const answer = await action.ask<RowsAnswer>(query, 'user', abort)
      // A new index has other row numbers.
      if (index.id !== batch.index.peek()?.id) return true
      if (answer.records.length === 0) throw new GalleryError(noRecords)
      records.add(answer)
    } catch (thrown) {
      if (problemOf(thrown).code !== 'index_changed') throw thrown
      await batch.refresh('user')
    }
    return true
  }

  const purposes = [0, 1].map(() => {
    let window: Window | undefined
    const loader = loaderOf(
      browser.after,
      (abort) => load(window, abort),
      (failed) => {
        problem.value = failed
      },
    )
    let known = ''
    const seen = ({ first, last }: Window) =>
      `${batch.index.peek()?.id} ${result
        .peek()
        .rows.slice(first, last + 1)
        .join()}`
    const want = (first: number, last: number) => {
      const isJump = !!window && (first >= window.last || last <= window.first)
      const isUp = !!window && (first < window.first || (first === window.first && !!window.isUp))
      if (window?.first === first && window.last === last) return
      window = { first, last, isUp }
      known = seen(window)
      loader.schedule(isJump ? debounce.jump : debounce.scroll)
    }
    /** While more columns load, most visible rows stay the same: do not wait then. */
    const follow = () => {
      if (!window || known === seen(window)) return
      known = seen(window)
      loader.schedule(debounce.filter)
    }
    return { loader, want, follow }
  })
  const [grid, viewer] = purposes
  const scheduleAll = (milliseconds: number) => {
    for (const { loader } of purposes) loader.schedule(milliseconds)
  }

  let batchOfRows: string | undefined
  const stop = effect(() => {
    result.value
    const name = batch.index.value?.batch
    if (name !== batchOfRows) {
      batchOfRows = name
      for (const { loader } of purposes) loader.reset()
      problem.value = undefined
      scheduleAll(0)
    } else for (const { follow } of purposes) follow()
  })

  const positions = computed(() => {
    const { rows, total } = result.value
    const positionByRow = new Int32Array(total).fill(-1)
    for (let position = 0; position < rows.length; position++)
      positionByRow[rows[position] as number] = position
    return positionByRow
  })

  return {
    top,
    focused,
    problem,
    generation: batch.generation,
    want: (first, last) => grid?.want(first, last),
    wantBeside: (first, last) => viewer?.want(first, last),
    record: records.at,
    cell: (row) => {
      const { columns, names, directory } = batch.index.value ?? {}
      if (!columns || !names) return { confidence: 0 }
      const cell: Cell = {
        label: names[columns.name[row] ?? -1],
        confidence: (columns.confidence[row] ?? 0) / 1000,
        code: directory?.codes[columns.error[row] ?? -1],
        key: records.at(row)?.key ?? batch.keys.value?.at(row),
      }
      return cell
    },
    retry: () => scheduleAll(0),
    positionOf: (row) => positions.value[row] ?? -1,
    tracked: {
      rows: () => [top.value, focused.value].filter((row) => row !== undefined),
      renumber: (to) => {
        for (const place of [top, focused])
          if (place.value !== undefined) place.value = to(place.value) ?? place.value
      },
    },
    close: () => {
      stop()
      for (const { loader } of purposes) loader.reset()
    },
  }
}

const noRecords: Problem = {
  code: 'internal',
  message: 'The answer has none of the requested records',
}
