import type { Sort } from './api'
import type { PhotoIndex } from './photo-index'

const last = 0xffff_ffff

/** Rows in sort order; undefined for key order. Stable. */
export function orderOf({ columns, rows }: PhotoIndex, sort: Sort): Uint32Array | undefined {
  if (sort === 'key') return undefined
  const { confidence, takenAt, label } = columns
  const values = sort.endsWith('taken') ? takenAt : confidence
  const known = sort.endsWith('taken') ? takenAt : label
  const ranks = new Uint32Array(rows)
  const isDescending = sort.startsWith('-')
  for (let row = 0; row < rows; row++) {
    const value = values[row] as number
    // Rows without a value come last either way.
    ranks[row] = (known[row] as number) < 0 ? last : isDescending ? last - 1 - value : value
  }
  return byHalf(ranks, byHalf(ranks, undefined, 0), 16)
}

/** One pass of a radix sort over 16 bits: linear and stable; comparison-sorting 100,000 rows takes longer than a frame. */
function byHalf(ranks: Uint32Array, order: Uint32Array | undefined, shift: number): Uint32Array {
  const places = new Uint32Array(0x1_0001)
  for (const rank of ranks) {
    const half = ((rank >>> shift) & 0xffff) + 1
    places[half] = (places[half] as number) + 1
  }
  for (let half = 1; half < places.length; half++)
    places[half] = (places[half] as number) + (places[half - 1] as number)
  const sorted = new Uint32Array(ranks.length)
  for (let at = 0; at < ranks.length; at++) {
    const row = order ? (order[at] as number) : at
    const half = ((ranks[row] as number) >>> shift) & 0xffff
    const place = places[half] as number
    sorted[place] = row
    places[half] = place + 1
  }
  return sorted
}
