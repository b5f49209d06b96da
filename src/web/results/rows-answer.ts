import { type RowRange, recordsOfRows } from '../../batch/reports/index-rows'
import { thumbnailsPrefix } from '../../batch/state/layout'
import { InvalidInputError } from '../../errors'
import type { LabelView } from '../../labels/view'
import type { ImageRecord } from '../../schema'
import type { Bucket, Store } from '../../storage/store'
import type { RowRecord, RowsAnswer } from '../gallery/contract'
import { indexById } from './find-index'
import { maxPageBytes } from './page'

/** Maximum number of rows per answer. */
const maxRows = 200

export interface RowsRequest {
  batch: string
  index: string
  rows: RowRange[]
  view: LabelView
  matches: (record: ImageRecord) => boolean
}

/**
 * Records by their rows in an index, with URLs of their images. Records that do not fit into the answer are left out.
 * @throws InvalidInputError for too many rows; StorageError `index_changed`
 */
export async function rowsAnswer(
  store: Store,
  results: Bucket,
  { batch, index, rows, view, matches }: RowsRequest,
): Promise<RowsAnswer> {
  if (rows.reduce((sum, [first, last]) => sum + last - first + 1, 0) > maxRows)
    throw new InvalidInputError('bad_parameter', `Expected at most ${maxRows} rows in JSON`)
  const { expires } = results.presignHourly('-', '')
  const records: RowRecord[] = []
  let bytes = 0
  for await (const { row, record } of recordsOfRows(results, await indexById(results, batch, index), rows)) {
    const shown = view.record(record)
    if (!matches(shown)) continue
    const rendered = { ...shown, row, ...urlsOf(store, results, record) }
    bytes += Buffer.byteLength(JSON.stringify(rendered)) + 1
    if (records.length > 0 && bytes > maxPageBytes) break
    records.push(rendered)
  }
  return { records, expires }
}

/** Presigns objects in the results bucket only if their name is that of a thumbnail. */
function urlsOf(store: Store, results: Bucket, { bucket, key, etag, thumbnail }: ImageRecord) {
  const { url } = store.bucket(bucket).presignHourly(key, etag ?? '')
  if (!thumbnail?.key.startsWith(thumbnailsPrefix)) return { url }
  return { url, thumbnailUrl: results.presignHourly(thumbnail.key, '').url }
}
