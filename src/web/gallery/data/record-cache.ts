import { signal } from '@preact/signals-core'
import type { RowRecord, RowsAnswer } from '../contract'
import { nameOf, type Tracked } from './renumber'
import { isSameRow } from './same-row'

/** So many records are kept, about 10 MB. */
const most = 4000

/** Milliseconds before their URLs expire, records are asked for again. */
const margin = 60_000

/** Records that were downloaded, by row. */
export function recordCache(now: () => number) {
  const known = new Map<number, { record: RowRecord; until: number }>()
  const version = signal(0)

  const tracked: Tracked = {
    rows: () => known.keys(),
    renumber: (to, before, after) => {
      const entries = [...known]
      known.clear()
      for (const [row, { record, until }] of entries) {
        const moved = to(row)
        // What was classified again is another record.
        if (moved === undefined || !isSameRow(before, row, after, moved)) continue
        known.set(moved, { record: { ...record, row: moved }, until })
      }
      version.value = version.peek() + 1
    },
  }

  return {
    tracked,
    /** Subscribes. */
    at: (row: number): RowRecord | undefined => {
      version.value
      return known.get(row)?.record
    },
    /** Subscribes. */
    nameAt: (row: number): string | undefined => {
      version.value
      const record = known.get(row)?.record
      return record && nameOf(record.bucket, record.key)
    },
    /** Whether it is there and its URLs hold. */
    isFresh: (row: number): boolean => now() < (known.get(row)?.until ?? 0),
    add: ({ records, expires }: RowsAnswer) => {
      const until = Date.parse(expires) - margin
      for (const record of records) {
        known.delete(record.row)
        known.set(record.row, { record, until })
      }
      for (const row of known.keys()) {
        if (known.size <= most) break
        known.delete(row)
      }
      version.value = version.peek() + 1
    },
    clear: () => {
      known.clear()
      version.value = version.peek() + 1
    },
  }
}
export type RecordCache = ReturnType<typeof recordCache>
