import type { ReadonlySignal } from '@preact/signals-core'
import type { Action, Query } from './action'
import type { Exports, FilterControl, Filters, Problem, Result } from './api'
import type { PhotoIndex } from './photo-index'
import { toRanges } from './ranges'
import type { SelectionState } from './selection'

/** URLs may have 8,000 characters on common servers and proxies. */
const maxRowsLength = 6000

/** URLs of exports. */
export function exportsOf(
  action: Pick<Action, 'urlOf'>,
  index: ReadonlySignal<PhotoIndex | undefined>,
  filters: FilterControl,
  result: ReadonlySignal<Result>,
  selection: SelectionState,
): Exports {
  const selected = ({ id }: PhotoIndex): Query | Problem => {
    const isAllShown =
      selection.count.value === result.value.rows.length &&
      selection.hidden.value === 0 &&
      result.value.searching === undefined
    if (isAllShown) return queryOf(filters.now.value)
    const rows = toRanges(selection.rows())
    return rows.length > maxRowsLength ? tooManyRanges : { index: id, rows }
  }
  return {
    urlOf: (what, format) => {
      const open = index.value
      if (!open || (what === 'selected' && selection.count.value === 0)) return nothing
      const query = what === 'shown' ? queryOf(filters.now.value) : selected(open)
      if (isProblem(query)) return query
      return action.urlOf({ batch: open.batch, format, ...query })
    },
  }
}

const isProblem = (found: Query | Problem): found is Problem => 'message' in found

const nothing: Problem = { code: 'nothing_selected', message: 'Nothing is selected' }

const tooManyRanges: Problem = {
  code: 'too_scattered',
  message: 'The selection has too many gaps for a URL',
  hint: 'Export the filtered images instead, or select fewer.',
}

/** Converts filters to parameters of the action. */
export function queryOf({ labels, confidence, sort: _, ...texts }: Filters): Query {
  const [min, max] = confidence
  const given = Object.entries(texts).filter(([, text]) => text !== '')
  const isLabelled = labels.length > 0 || min > 0 || max < 1
  return {
    // The action treats a missing label as probability 0.
    ...(isLabelled && { status: 'ok' }),
    ...Object.fromEntries(given),
    ...(labels.length > 0 && { labelIs: JSON.stringify(labels) }),
    ...(min > 0 && { minProbability: String(min) }),
    ...(max < 1 && { maxProbability: String(max) }),
  }
}
