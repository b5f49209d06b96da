import { brotliDecompressSync } from 'node:zlib'
import { StorageError } from '../../errors'
import { readAhead } from '../../read-ahead'
import type { ImageRecord } from '../../schema'
import type { Bucket } from '../../storage/store'
import type { StoredIndex } from './index-file'
import { type IndexDirectory, recordsPerChunk } from './index-format'

/** Rows from the first up to the last, that one included. */
export type RowRange = [first: number, last: number]

export interface Row {
  row: number
  record: ImageRecord
}

/** Requests that are under way or waiting to be used. */
const readingsAhead = 8

/** Chunks that lie one behind the other are read with one request, some 150 kB. */
const chunksAtOnce = 16

/** Chunks in a row. */
interface Piece {
  /** The first byte. */
  start: number
  /** Bytes of each chunk. */
  sizes: number[]
  /** The row with which the first begins. */
  row: number
}

/**
 * Reads records by their rows, each once, in the order of the rows; of the records in between only those of the same chunks.
 * @throws StorageError `index_changed` when the index is another by now
 */
export async function* recordsOfRows(
  results: Bucket,
  { key, etag, directory }: StoredIndex,
  ranges: RowRange[],
): AsyncGenerator<Row> {
  const wanted = inOrder(ranges)
  const read = async ({ start, sizes, row }: Piece) => {
    const end = start + sum(sizes)
    const body = await results.range(key, start, end, etag).catch((thrown) => {
      throw isGone(thrown) ? indexChanged() : thrown
    })
    return { row, sizes, body }
  }
  let current = 0
  for await (const { row, sizes, body } of readAhead(piecesOf(directory, wanted), readingsAhead, read)) {
    for (const [offset, line] of linesOf(body, sizes).entries()) {
      const at = row + offset
      while ((wanted[current]?.[1] ?? at) < at) current++
      if ((wanted[current]?.[0] ?? at + 1) <= at) yield { row: at, record: JSON.parse(line) }
    }
  }
}

/** Whether a request failed since the version it was for is not there any more. */
export const isGone = (thrown: unknown): boolean =>
  thrown instanceof StorageError &&
  (thrown.code === 'precondition_failed' || thrown.code === 'object_not_found')

export const indexChanged = (): StorageError =>
  new StorageError('index_changed', 409, 'The index that was asked for is not there any more')

const sum = (values: number[]): number => values.reduce((all, value) => all + value, 0)

/** Without overlaps. */
function inOrder(ranges: RowRange[]): RowRange[] {
  const ordered: RowRange[] = []
  for (const [first, last] of [...ranges].sort(([a], [b]) => a - b)) {
    const before = ordered.at(-1)
    if (before && first <= before[1] + 1) before[1] = Math.max(before[1], last)
    else ordered.push([first, last])
  }
  return ordered
}

/** The chunks that hold rows; those that lie one behind the other together. */
function* piecesOf(directory: IndexDirectory, wanted: RowRange[]): Generator<Piece> {
  let piece: Piece | undefined
  let end = 0
  for (const { start, size, row } of chunksOf(directory, wanted)) {
    const goesOn = piece && start === end && piece.sizes.length < chunksAtOnce
    if (piece && goesOn) piece.sizes.push(size)
    else {
      if (piece) yield piece
      piece = { start, sizes: [size], row }
    }
    end = start + size
  }
  if (piece) yield piece
}

function* chunksOf({ blocks }: IndexDirectory, wanted: RowRange[]) {
  let blockRow = 0
  for (const { rows, records, chunks } of blocks) {
    let start = records
    for (const [number, size] of chunks.entries()) {
      const row = blockRow + number * recordsPerChunk
      const last = Math.min(row + recordsPerChunk, blockRow + rows) - 1
      if (has(wanted, row, last)) yield { start, size, row }
      start += size
    }
    blockRow += rows
  }
}

/** Whether any row from the first up to the last is wanted. */
function has(wanted: RowRange[], first: number, last: number): boolean {
  let [low, high] = [0, wanted.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if ((wanted[middle]?.[1] ?? 0) < first) low = middle + 1
    else high = middle
  }
  return (wanted[low]?.[0] ?? last + 1) <= last
}

function linesOf(body: Buffer, sizes: number[]): string[] {
  let from = 0
  return sizes.flatMap((size) => {
    const text = brotliDecompressSync(body.subarray(from, from + size)).toString('utf8')
    from += size
    return text.split('\n').slice(0, -1)
  })
}
