import type { Found, Position } from '../../batch/reports/results'
import type { ImageRecord } from '../../schema'
import { toCursor } from './cursor'

/** The platform takes results of 1 MiB; a summary of a thousand labels and headers have to fit in as well. */
export const maxPageBytes = 800_000

/** So many records are looked through for one page, some 70 MB: seconds, where nothing else bounds a rare label. */
const usuallyScanned = 100_000

export interface Page<T> {
  items: T[]
  /** Cursor of the next page; there is none after the last record. */
  next?: string
}

export interface PageRequest {
  matches: (record: ImageRecord) => boolean
  /** Most items; the size of an answer ends a page as well. */
  limit?: number
  /** What takes as much of the answer as an item does; the item itself, unless given. */
  measure?: (record: ImageRecord) => object | string
  /** Most records that are looked through. */
  maxScanned?: number
}

/**
 * Takes a page of a batch's records. It may have fewer items than the limit, even none, and be followed by others: only
 * where there is no `next` are there no more.
 * @param records those after the page before
 * @param render what is shown of a record
 */
export async function takePage<T extends object | string>(
  records: AsyncIterable<Found>,
  render: (record: ImageRecord) => T,
  { matches, measure, limit = Number.POSITIVE_INFINITY, maxScanned = usuallyScanned }: PageRequest,
): Promise<Page<T>> {
  const items: T[] = []
  let bytes = 0
  let scanned = 0
  let last: Position | undefined
  for await (const { record, file } of records) {
    if (last && scanned >= maxScanned) return { items, next: toCursor(last) }
    if (matches(record)) {
      const item = render(record)
      // Text is measured as JSON too, for as such it travels: every quote in it takes two bytes.
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
