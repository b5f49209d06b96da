import { computed, type ReadonlySignal, signal } from '@preact/signals-core'
import type { Result, Selection } from './api'
import type { Tracked } from './renumber'

export interface SelectionState extends Selection {
  /** Selected rows, in order. */
  rows(): number[]
  tracked: Tracked
}

const none = new Uint8Array(0)

function rowsOf(flags: Uint8Array): number[] {
  const rows: number[] = []
  for (let row = 0; row < flags.length; row++) if (flags[row] === 1) rows.push(row)
  return rows
}

/** The selection survives changes of the filters. */
export function selectionOf(result: ReadonlySignal<Result>): SelectionState {
  /** 1 for each selected row. Never mutated. */
  const selected = signal<Uint8Array>(none)
  /** Start of a range. */
  let anchor: number | undefined

  /** @param flag 0 deselects */
  const select = (before: Uint8Array, rows: ArrayLike<number>, flag = 1) => {
    const flags = new Uint8Array(Math.max(before.length, result.peek().total))
    flags.set(before)
    for (let at = 0; at < rows.length; at++) flags[rows[at] as number] = flag
    selected.value = flags
  }

  const between = (position: number): Uint32Array => {
    const { rows } = result.peek()
    const from = anchor === undefined ? position : rows.indexOf(anchor)
    const start = from < 0 ? position : from
    return rows.subarray(Math.min(start, position), Math.max(start, position) + 1)
  }

  const count = computed(() => selected.value.reduce((sum, flag) => sum + flag, 0))
  const shown = computed(() => result.value.rows.reduce((sum, row) => sum + (selected.value[row] ?? 0), 0))

  return {
    count,
    hidden: computed(() => count.value - shown.value),
    has: (row) => selected.value[row] === 1,
    rows: () => rowsOf(selected.value),
    click: (position, { toggle = false, range = false } = {}) => {
      const row = result.peek().rows[position]
      if (row === undefined) return
      const before = toggle || range ? selected.peek() : none
      const deselects = toggle && !range && before[row] === 1
      select(before, range ? between(position) : [row], deselects ? 0 : 1)
      if (!range) anchor = row
    },
    all: () => select(selected.peek(), result.peek().rows),
    clear: () => {
      selected.value = none
      anchor = undefined
    },
    tracked: {
      rows: () => [...rowsOf(selected.peek()), ...(anchor === undefined ? [] : [anchor])],
      renumber: (to, _, after) => {
        const moved = rowsOf(selected.peek()).flatMap((row) => to(row) ?? [])
        const flags = new Uint8Array(after.rows)
        for (const row of moved) flags[row] = 1
        selected.value = flags
        anchor = anchor === undefined ? undefined : to(anchor)
      },
    },
  }
}
