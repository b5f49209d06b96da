import { recordsOfRows } from '../../batch/reports/index-rows'
import { matches } from '../../batch/reports/query'
import { type Found, hasFiles, readResultsAfter } from '../../batch/reports/results'
import { exportKey, resultsKey } from '../../batch/state/layout'
import { InvalidInputError } from '../../errors'
import type { LabelView } from '../../labels/view'
import type { BatchSummary, ImageRecord } from '../../schema'
import type { Bucket } from '../../storage/store'
import { type ExportName, exportFormat, exportTypes } from './export-formats'
import { indexById } from './find-index'
import { maxPageBytes, takePage } from './page'
import type { ResultsRequest } from './request'

/** A batch's records in an export format: the body of the answer, or where they lie when they are too many for one. */
export type Export = { body: string; next?: string } | { url: string }

/** How long a link to a file is good for, in seconds. */
const linkLife = 15 * 60

/** So long before the platform ends the activation, writing a file is given up, milliseconds. */
const timeToAnswer = 10_000

export interface ExportRequest {
  query: ResultsRequest
  name: ExportName
  view: LabelView
  /** What a record has beyond the columns, in JSON Lines. */
  more: (record: ImageRecord) => object
  /** When the platform ends the activation, milliseconds since the epoch. */
  deadline: number
}

/**
 * The records of a batch in an export format: a page where a limit is given, else all of them. What does not fit into an
 * answer lies in a file: a closed batch has one of all its records as CSV; any other selection is written to one.
 * @throws InvalidInputError when there is no time to write it
 */
export async function exportRecords(
  results: Bucket,
  summary: BatchSummary,
  { query, name, view, more, deadline }: ExportRequest,
): Promise<Export> {
  const { file, measure, bodyOf, stream } = exportFormat(name, query.raw === 'true', more)
  const link = (to: string) => ({ url: results.presign(to, linkLife) })
  // Files of batches have the model's labels.
  const isInFile = file && query.whole && view.isModels && hasFiles(summary)
  const written = isInFile ? await results.head(resultsKey(summary.batch, file)) : undefined
  if (written && written.size > maxPageBytes) return link(written.key)
  const records = await openRecords(results, summary.batch, query, view)
  const { limit } = query
  const page = await takePage(records(), (record) => record, { matches: matches(query), limit, measure })
  if (!page.next || limit !== undefined) return { body: await bodyOf(page.items), next: page.next }
  if (written) return link(written.key)
  if (query.urls === 'true' && name === 'jsonl') throw tooLarge('with URLs of the images')
  // A closed batch's records are those of its file; names of labels may change.
  const source =
    hasFiles(summary) && view.isModels
      ? await results.head(resultsKey(summary.batch, 'results.jsonl'))
      : undefined
  const target = exportKey(summary.batch, JSON.stringify([query, source?.etag]), `results.${name}`)
  if (source && (await results.head(target))) return link(target)
  const timed = inTime(records(), query, deadline)
  await results.putStream(target, stream(timed.records), exportTypes[name]).catch((thrown) => {
    throw timed.isLate() ? tooLarge('to be written in time') : thrown
  })
  return link(target)
}

/** The records to select from: all of them, or those of some rows of an index. */
async function openRecords(
  results: Bucket,
  batch: string,
  { after, index = '', rows }: ResultsRequest,
  view: LabelView,
): Promise<() => AsyncIterable<Found>> {
  if (!rows) return () => readResultsAfter(results, batch, { after, view })
  const stored = await indexById(results, batch, index)
  return async function* () {
    for await (const { record } of recordsOfRows(results, stored, rows)) yield { record: view.record(record) }
  }
}

const tooLarge = (why: string): InvalidInputError =>
  new InvalidInputError('answer_too_large', `The records are too many for one answer ${why}`, {
    hint: 'Ask for pages: &limit=1000, then what the link header names as next; or run whisklens results.',
  })

/** The records that a query selects, until time is up. */
function inTime(found: AsyncIterable<Found>, query: ResultsRequest, deadline: number) {
  const isWanted = matches(query)
  let isLate = false
  async function* selected() {
    for await (const { record } of found) {
      isLate = Date.now() > deadline - timeToAnswer
      // Whatever is thrown aborts the upload: nothing is left of it.
      if (isLate) throw new Error('out of time')
      if (isWanted(record)) yield record
    }
  }
  return { records: selected(), isLate: () => isLate }
}
