import { brotliDecompressSync } from 'node:zlib'
import { StorageError } from '../../errors'
import { readAhead } from '../../read-ahead'
import type { ImageRecord } from '../../schema'
import type { Bucket } from '../../storage/store'
import type { StoredIndex } from './index-file'
import { type IndexDirectory, recordsPerChunk } from './index-format'

/** First and last row, both included. */
export type RowRange = [first: number, last: number]

export interface Row {
  row: number
  record: ImageRecord
}

/** Requests in flight or waiting to be consumed. */
const requestsAhead = 8

/** Adjacent chunks read with one request, some 150 kB. */
const chunksAtOnce = 16

/** Adjacent chunks. */
interface ChunkSpan {
  /** Offset of the first byte. */
  start: number
  /** Length of each chunk, bytes. */
  sizes: number[]
  /** The first row. */
  row: number
}

/**
 * Reads records by row, each once, in row order. Reads only the chunks that contain them.
 * @throws StorageError `index_changed` when the index has been replaced
 */
export async function* recordsOfRows(
  results: Bucket,
  { key, etag, directory }: StoredIndex,
  ranges: RowRange[],
): AsyncGenerator<Row> {
  const wanted = mergeRanges(ranges)
  const read = async ({ start, sizes, row }: ChunkSpan) => {
    const end = start + sum(sizes)
    const body = await results.range(key, start, end, etag).catch((thrown) => {
      throw isGone(thrown) ? indexChanged() : thrown
    })
    return { row, sizes, body }
  }
  let current = 0
  for await (const { row, sizes, body } of readAhead(spansOf(directory, wanted), requestsAhead, read)) {
    for (const [offset, line] of linesOf(body, sizes).entries()) {
      const at = row + offset
      while ((wanted[current]?.[1] ?? at) < at) current++
      if ((wanted[current]?.[0] ?? at + 1) <= at) yield { row: at, record: JSON.parse(line) }
    }
  }
}

/** Whether a request failed because its version of the object is gone. */
export const isGone = (thrown: unknown): boolean =>
  thrown instanceof StorageError &&
  (thrown.code === 'precondition_failed' || thrown.code === 'object_not_found')

export const indexChanged = (): StorageError =>
  new StorageError('index_changed', 409, 'The requested index no longer exists')

const sum = (values: number[]): number => values.reduce((all, value) => all + value, 0)

/** Sorts ranges and merges overlapping ones. */
function mergeRanges(ranges: RowRange[]): RowRange[] {
  const ordered: RowRange[] = []
  for (const [first, last] of [...ranges].sort(([a], [b]) => a - b)) {
    const before = ordered.at(-1)
    if (before && first <= before[1] + 1) before[1] = Math.max(before[1], last)
    else ordered.push([first, last])
  }
  return ordered
}

/** The chunks that contain wanted rows, adjacent ones grouped. */
function* spansOf(directory: IndexDirectory, wanted: RowRange[]): Generator<ChunkSpan> {
  let span: ChunkSpan | undefined
  let end = 0
  for (const { start, size, row } of chunksOf(directory, wanted)) {
    const isAdjacent = span && start === end && span.sizes.length < chunksAtOnce
    if (span && isAdjacent) span.sizes.push(size)
    else {
      if (span) yield span
      span = { start, sizes: [size], row }
    }
    end = start + size
  }
  if (span) yield span
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

/** Whether any row of a range is wanted. */
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
