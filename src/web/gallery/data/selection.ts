import { computed, type ReadonlySignal, signal } from '@preact/signals-core'
import type { Result, Selection } from './api'
import type { Tracked } from './renumber'

export interface SelectionState extends Selection {
  /** Those selected, in order. */
  rows(): number[]
  tracked: Tracked
}

/** What is selected stays so under other filters. */
export function selectionOf(result: ReadonlySignal<Result>): SelectionState {
  const selected = signal<ReadonlySet<number>>(new Set())
  /** Where a range begins. */
  let anchor: number | undefined

  const between = (position: number): Uint32Array => {
    const { rows } = result.peek()
    const from = anchor === undefined ? position : rows.indexOf(anchor)
    const start = from < 0 ? position : from
    return rows.slice(Math.min(start, position), Math.max(start, position) + 1)
  }

  const shownCount = computed(() => {
    const now = selected.value
    if (now.size === 0) return 0
    let count = 0
    for (const row of result.value.rows) if (now.has(row)) count++
    return count
  })

  return {
    count: computed(() => selected.value.size),
    hidden: computed(() => selected.value.size - shownCount.value),
    has: (row) => selected.value.has(row),
    rows: () => [...selected.value].sort((a, b) => a - b),
    click: (position, { toggle = false, range = false } = {}) => {
      const row = result.peek().rows[position]
      if (row === undefined) return
      const now = new Set(toggle || range ? selected.peek() : [])
      if (range) for (const one of between(position)) now.add(one)
      else if (toggle && now.has(row)) now.delete(row)
      else now.add(row)
      if (!range) anchor = row
      selected.value = now
    },
    all: () => {
      selected.value = new Set([...selected.peek(), ...result.peek().rows])
    },
    clear: () => {
      selected.value = new Set()
      anchor = undefined
    },
    tracked: {
      rows: () => (anchor === undefined ? selected.peek() : [...selected.peek(), anchor]),
      renumber: (to) => {
        selected.value = new Set([...selected.peek()].flatMap((row) => to(row) ?? []))
        anchor = anchor === undefined ? undefined : to(anchor)
      },
    },
  }
}
