import type { Keys } from './keys'
import type { PhotoIndex } from './photo-index'

/** Maps a row of an index to the one that replaces it; undefined if the image is gone. */
export type Renumbering = (row: number) => number | undefined

/** State that refers to rows and survives renumbering. */
export interface Tracked {
  rows(): Iterable<number>
  renumber(to: Renumbering, before: PhotoIndex, after: PhotoIndex): void
}

export const nameOf = (bucket: string, key: string): string => `${bucket}/${key}`

/** Name of a row's image, if its key is loaded. */
export function nameAt({ directory, columns }: PhotoIndex, keys: Keys, row: number): string | undefined {
  const key = keys.at(row)
  const bucket = directory.buckets[columns.bucket[row] ?? -1]
  return key === undefined || bucket === undefined ? undefined : nameOf(bucket, key)
}

/** Rows of images by name. Needs their keys. */
export function rowsNamed(index: PhotoIndex, keys: Keys, wanted: Set<string>): Map<string, number> {
  const found = new Map<string, number>()
  for (let row = 0; row < index.rows && found.size < wanted.size; row++) {
    const name = nameAt(index, keys, row)
    if (name !== undefined && wanted.has(name)) found.set(name, row)
  }
  return found
}

/**
 * Maps rows to a new index by name. Rows without a known name keep their number.
 * @param named known names of rows in the old index
 */
export function renumberingOf(named: Map<number, string>, after: PhotoIndex, keys: Keys): Renumbering {
  const rows = rowsNamed(after, keys, new Set(named.values()))
  return (row) => {
    const name = named.get(row)
    if (name !== undefined) return rows.get(name)
    return row < after.rows ? row : undefined
  }
}
