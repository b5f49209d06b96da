import type { Keys } from './keys'
import type { PhotoIndex } from './photo-index'

/** Where a row of an index is in the one that replaces it; undefined where its image is not in it. */
export type Renumbering = (row: number) => number | undefined

/** What goes by rows and is to be kept. */
export interface Tracked {
  rows(): Iterable<number>
  renumber(to: Renumbering, before: PhotoIndex, after: PhotoIndex): void
}

export const nameOf = (bucket: string, key: string): string => `${bucket}/${key}`

/** The name of a row's image, where its key is known. */
export function nameAt({ directory, columns }: PhotoIndex, keys: Keys, row: number): string | undefined {
  const key = keys.at(row)
  const bucket = directory.buckets[columns.bucket[row] ?? -1]
  return key === undefined || bucket === undefined ? undefined : nameOf(bucket, key)
}

/** The rows of images by name. Their keys have to be there. */
export function rowsNamed(index: PhotoIndex, keys: Keys, wanted: Set<string>): Map<string, number> {
  const found = new Map<string, number>()
  for (let row = 0; row < index.rows && found.size < wanted.size; row++) {
    const name = nameAt(index, keys, row)
    if (name !== undefined && wanted.has(name)) found.set(name, row)
  }
  return found
}

/**
 * Finds rows in a new index by name. What has no known name keeps its number.
 * @param named names of rows of the old one, as far as they are known
 */
export function renumberingOf(named: Map<number, string>, after: PhotoIndex, keys: Keys): Renumbering {
  const rows = rowsNamed(after, keys, new Set(named.values()))
  return (row) => {
    const name = named.get(row)
    if (name !== undefined) return rows.get(name)
    return row < after.rows ? row : undefined
  }
}
