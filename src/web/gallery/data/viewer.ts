import { computed, effect, type ReadonlySignal, signal, untracked } from '@preact/signals-core'
import type { Result, Viewer } from './api'
import type { BatchState } from './batch'
import { rowsNamed, type Tracked } from './renumber'
import type { RowsState } from './rows'
import type { ViewState } from './view'

export interface ViewerState extends Viewer {
  tracked: Tracked
  /** Closes the photo when the batch changes; the one in the address opens once the batch is loaded. */
  forget(): void
  stop(): void
}

/** Number of records loaded on each side of the open photo. */
const beside = { before: 1, after: 3 }

/** The open photo; in the address once its key is known. */
export function viewerOf(
  view: ViewState,
  batch: Pick<BatchState, 'index' | 'keys' | 'state'>,
  rows: Pick<RowsState, 'wantBeside' | 'positionOf'>,
  nameOf: (row: number) => string | undefined,
  result: ReadonlySignal<Result>,
): ViewerState {
  const row = signal<number | undefined>()
  const position = computed(() => (row.value === undefined ? -1 : rows.positionOf(row.value)))

  const open = (wanted: number | undefined) => {
    row.value = wanted
  }

  const find = async (photo: string): Promise<void> => {
    const [index, keys] = [batch.index.peek(), batch.keys.peek()]
    if (!index || !keys) return
    await keys.load()
    if (view.now.peek().photo !== photo || batch.index.peek()?.id !== index.id) return
    open(rowsNamed(index, keys, new Set([photo])).get(photo))
  }

  const stops = [
    // Put the photo into the address.
    effect(() => {
      const name = row.value === undefined ? undefined : nameOf(row.value)
      const { photo } = view.now.peek()
      if (name === undefined || name === photo) return
      view.set({ photo: name }, photo === undefined ? 'overlay' : 'replace')
    }),
    // Open the photo in the address: initially, and on back or forward.
    effect(() => {
      view.returns.value
      const isThere = batch.state.value.is === 'ready'
      const { photo } = view.now.peek()
      const shown = row.peek()
      const name = shown === undefined ? undefined : untracked(() => nameOf(shown))
      if (!isThere) return
      if (photo === undefined) open(undefined)
      else if (name !== photo) find(photo).catch(() => {})
    }),
    effect(() => {
      const at = position.value
      if (at >= 0) rows.wantBeside(Math.max(0, at - beside.before), at + beside.after + 1)
    }),
  ]

  return {
    row,
    position,
    open,
    move: (by) => {
      const { rows: shown } = result.peek()
      const at = Math.min(shown.length - 1, Math.max(0, position.peek() + by))
      if (shown[at] !== undefined) open(shown[at])
    },
    tracked: {
      rows: () => (row.peek() === undefined ? [] : [row.peek() as number]),
      renumber: (to) => {
        if (row.peek() !== undefined) row.value = to(row.peek() as number)
      },
    },
    forget: () => open(undefined),
    close: () => {
      // A dialog fires its close event twice.
      if (row.peek() === undefined) return
      open(undefined)
      // Going back removes the history entry, which would show the grid a second time.
      const isNamed = view.now.peek().photo !== undefined
      if (isNamed && !view.closeOverlay()) view.set({ photo: undefined }, 'replace')
    },
    stop: () => {
      for (const stop of stops) stop()
    },
  }
}
