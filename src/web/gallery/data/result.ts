import type { Count, Filters, Result } from './api'
import { failed, failuresOf } from './filter'
import type { PhotoIndex } from './photo-index'
import { dayOfMinute } from './taken'

const confidenceBins = 50

export const noResult: Result = {
  rows: new Uint32Array(0),
  total: 0,
  labels: [],
  statuses: { ok: 0, error: 0 },
  codes: [],
  confidence: new Uint32Array(confidenceBins),
  cameras: [],
}

/**
 * Filtered rows, and counts per filter value under the other filters.
 * @param order all rows in sort order; undefined for key order
 * @param keys 1 for each row whose key matches the search
 */
export function resultOf(
  index: PhotoIndex,
  filters: Filters,
  order?: Uint32Array,
  keys?: Uint8Array,
): Result {
  const failures = failuresOf(index, filters, keys)
  const { columns, directory, rows: total } = index
  const count = (column: ArrayLike<number>, but: number, size: number) =>
    countBy(column, failures, ~but & 0xff, size)
  // Ids start at -1 for rows without a value, so index 0 counts those.
  const codes = count(columns.error, failed.status, directory.codes.length)
  const labels = count(columns.name, failed.label, index.names.length)
  const cameras = count(columns.camera, failed.camera, directory.cameras.length)
  return {
    rows: shownRows(failures, order),
    total,
    labels: toCounts(labels, index.names, filters.labels),
    statuses: { ok: codes[0] ?? 0, error: codes.subarray(1).reduce((sum, some) => sum + some, 0) },
    codes: toCounts(codes, directory.codes, [filters.code]),
    confidence: binsOf(index, failures),
    cameras: toCounts(cameras, directory.cameras, []),
    taken: takenDays(index),
  }
}

function countBy(column: ArrayLike<number>, failures: Uint8Array, mask: number, size: number): Uint32Array {
  const counts = new Uint32Array(size + 1)
  for (let row = 0; row < failures.length; row++) {
    if (((failures[row] as number) & mask) !== 0) continue
    const id = (column[row] as number) + 1
    counts[id] = (counts[id] as number) + 1
  }
  return counts
}

/** Most frequent first. @param kept listed even with count 0, so that the filter can be removed */
function toCounts(counts: Uint32Array, names: string[], kept: string[]): Count[] {
  return names
    .map((name, id) => ({ name, count: counts[id + 1] ?? 0 }))
    .filter(({ name, count }) => count > 0 || kept.includes(name))
    .sort((a, b) => b.count - a.count)
}

function binsOf({ columns: { label, confidence } }: PhotoIndex, failures: Uint8Array): Uint32Array {
  const bins = new Uint32Array(confidenceBins)
  const width = 1000 / confidenceBins
  for (let row = 0; row < failures.length; row++) {
    if (((failures[row] as number) & ~failed.confidence) !== 0 || (label[row] as number) < 0) continue
    const bin = Math.min(confidenceBins - 1, Math.floor((confidence[row] as number) / width))
    bins[bin] = (bins[bin] as number) + 1
  }
  return bins
}

function shownRows(failures: Uint8Array, order?: Uint32Array): Uint32Array {
  const shown = new Uint32Array(failures.length)
  let size = 0
  for (let at = 0; at < failures.length; at++) {
    const row = order ? (order[at] as number) : at
    if (failures[row] === 0) shown[size++] = row
  }
  return shown.slice(0, size)
}

function takenDays({ columns: { takenAt }, rows }: PhotoIndex): Result['taken'] {
  let [first, last] = [Number.POSITIVE_INFINITY, -1]
  for (let row = 0; row < rows; row++) {
    const minute = takenAt[row] as number
    if (minute < 0) continue
    if (minute < first) first = minute
    if (minute > last) last = minute
  }
  return last < 0 ? undefined : { first: dayOfMinute(first), last: dayOfMinute(last) }
}
