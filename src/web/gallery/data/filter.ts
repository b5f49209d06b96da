import type { Filters } from './api'
import type { PhotoIndex } from './photo-index'
import { searchLabels } from './search'
import { takenRange } from './taken'

/** Bits of the filters that exclude a row. */
export const failed = { label: 1, confidence: 2, status: 4, search: 8, taken: 16, camera: 32 }

/**
 * Which filters exclude each row, as bits of {@link failed}. Displayed rows have no bits; rows counted by a facet have at most its
 * own.
 * @param keys 1 for each row whose key matches the search
 */
export function failuresOf(index: PhotoIndex, filters: Filters, keys?: Uint8Array): Uint8Array {
  const { columns, rows } = index
  const failures = new Uint8Array(rows)
  const mark = (bit: number, passes: ((row: number) => boolean) | undefined) => {
    if (passes)
      for (let row = 0; row < rows; row++) if (!passes(row)) failures[row] = (failures[row] ?? 0) | bit
  }
  const { label, name, confidence, error, takenAt, camera } = columns
  const at = (column: ArrayLike<number>, row: number) => column[row] as number

  const labels = new Set(filters.labels)
  const wanted = index.names.map((text) => labels.has(text))
  mark(failed.label, labels.size > 0 ? (row) => wanted[at(name, row)] === true : undefined)

  const [least, most] = filters.confidence.map((share) => Math.round(share * 1000)) as [number, number]
  const isWithin = (row: number) =>
    at(label, row) >= 0 && at(confidence, row) >= least && at(confidence, row) <= most
  mark(failed.confidence, least > 0 || most < 1000 ? isWithin : undefined)

  mark(failed.status, statusTest(filters, index.directory.codes, error))

  const hits = filters.search === '' ? undefined : searchLabels(index, filters.search)
  const isFound = (row: number) =>
    hits?.labels[at(label, row)] === true || hits?.names[at(name, row)] === true || keys?.[row] === 1
  mark(failed.search, hits && isFound)

  const [from, to] = takenRange(filters.takenSince, filters.takenUntil) ?? []
  const isTaken = (row: number) =>
    at(takenAt, row) >= 0 && at(takenAt, row) >= (from ?? 0) && at(takenAt, row) < (to ?? 0)
  mark(failed.taken, from === undefined ? undefined : isTaken)

  const make = filters.camera.toLowerCase()
  const cameras = index.directory.cameras.map((text) => text.toLowerCase().includes(make))
  mark(failed.camera, make === '' ? undefined : (row) => cameras[at(camera, row)] === true)
  return failures
}

function statusTest({ status, code }: Filters, codes: string[], error: Int16Array) {
  if (code !== '') {
    const id = status === 'ok' ? -2 : codes.indexOf(code)
    return (row: number) => id >= 0 && error[row] === id
  }
  if (status === '') return undefined
  return (row: number) => (error[row] === -1) === (status === 'ok')
}
