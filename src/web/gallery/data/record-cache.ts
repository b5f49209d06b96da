import { signal } from '@preact/signals-core'
import type { RowRecord, RowsAnswer } from '../contract'
import { nameOf, type Tracked } from './renumber'
import { isSameRow } from './same-row'

/** Maximum number of cached records, about 10 MB. */
const maxRecords = 4000

/** Records are requested again this long before their URLs expire, milliseconds. */
const margin = 60_000

/** Downloaded records, by row. */
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
        // An image classified again has a new record.
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
    /** Whether the record is cached and its URLs are valid. */
    isFresh: (row: number): boolean => now() < (known.get(row)?.until ?? 0),
    add: ({ records, expires }: RowsAnswer) => {
      const until = Date.parse(expires) - margin
      for (const record of records) {
        known.delete(record.row)
        known.set(record.row, { record, until })
      }
      for (const row of known.keys()) {
        if (known.size <= maxRecords) break
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
