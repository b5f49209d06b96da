import type { Found, Position } from '../../batch/reports/results'
import type { ImageRecord } from '../../schema'
import { toCursor } from './cursor'

/** The platform accepts results of 1 MiB; leaves room for a summary with a thousand labels, and headers. */
export const maxPageBytes = 800_000

/** Maximum number of records scanned for a page, about 70 MB: bounds the time for a rare label to seconds. */
const defaultScanned = 100_000

export interface Page<T> {
  items: T[]
  /** Cursor of the next page; undefined after the last record. */
  next?: string
}

export interface PageRequest {
  matches: (record: ImageRecord) => boolean
  /** Maximum number of items; the size of the answer limits a page, too. */
  limit?: number
  /** An equivalent of the item whose JSON is as long as its part of the answer. Default: the item. */
  measure?: (record: ImageRecord) => object | string
  /** Maximum number of records scanned. */
  maxScanned?: number
}

/**
 * Takes a page of a batch's records. A page may have fewer items than the limit, even none; only a missing `next` marks the end.
 * @param records those after the previous page
 * @param render converts a record to an item
 */
export async function takePage<T extends object | string>(
  records: AsyncIterable<Found>,
  render: (record: ImageRecord) => T,
  { matches, measure, limit = Number.POSITIVE_INFINITY, maxScanned = defaultScanned }: PageRequest,
): Promise<Page<T>> {
  const items: T[] = []
  let bytes = 0
  let scanned = 0
  let last: Position | undefined
  for await (const { record, file } of records) {
    if (last && scanned >= maxScanned) return { items, next: toCursor(last) }
    if (matches(record)) {
      const item = render(record)
      // Text is measured as JSON, which it is sent as: quotes take two bytes.
      bytes += Buffer.byteLength(JSON.stringify(measure ? measure(record) : item)) + 1
      const isFull = items.length >= limit || (items.length > 0 && bytes > maxPageBytes)
      if (last && isFull) return { items, next: toCursor(last) }
      items.push(item)
    }
    last = { key: record.key, bucket: record.bucket, file }
    scanned++
  }
  return { items }
}
