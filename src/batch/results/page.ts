import type { ImageRecord } from '../../schema'
import { comparePositions, type Position, toCursor } from './cursor'

/** The platform takes results of 1 MiB; a summary of a thousand labels and headers have to fit in as well. */
export const maxPageBytes = 800_000

export interface Page<T> {
  items: T[]
  /** Cursor of the next page; there is none after the last record. */
  next?: string
}

export interface PageRequest {
  matches: (record: ImageRecord) => boolean
  /** Most items; the size of an answer ends a page as well. */
  limit?: number
  after?: Position
}

/**
 * Takes the next page of a batch's records.
 * @param render what is shown of a record: JSON, or a line of text
 */
export async function takePage<T extends object | string>(
  records: AsyncIterable<ImageRecord>,
  render: (record: ImageRecord) => T,
  { matches, limit = Number.POSITIVE_INFINITY, after }: PageRequest,
): Promise<Page<T>> {
  const items: T[] = []
  let bytes = 0
  let last: ImageRecord | undefined
  for await (const record of records) {
    if ((after && comparePositions(record, after) <= 0) || !matches(record)) continue
    const item = render(record)
    // Text is measured as JSON too, for as such it travels: every quote in it takes two bytes.
    bytes += Buffer.byteLength(JSON.stringify(item)) + 1
    if (last && (items.length >= limit || bytes > maxPageBytes)) return { items, next: toCursor(last) }
    items.push(item)
    last = record
  }
  return { items }
}
