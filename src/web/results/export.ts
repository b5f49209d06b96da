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

/** An export: the body of the answer, or a URL if it is too large. */
export type Export = { body: string; next?: string } | { url: string }

/** Lifetime of a download link, seconds. */
const linkExpiry = 15 * 60

/** Time reserved for answering, before the platform ends the activation, milliseconds. */
const timeToAnswer = 10_000

export interface ExportRequest {
  query: ResultsRequest
  name: ExportName
  view: LabelView
  /** Additional properties in JSON Lines. */
  more: (record: ImageRecord) => object
  /** When the platform ends the activation, milliseconds since the epoch. */
  deadline: number
}

/**
 * Exports the records of a batch: one page if there is a limit, else all. An export too large for an answer becomes a file: the CSV
 * file of a closed batch, or one written for this selection.
 * @throws InvalidInputError if there is no time to write it
 */
export async function exportRecords(
  results: Bucket,
  summary: BatchSummary,
  { query, name, view, more, deadline }: ExportRequest,
): Promise<Export> {
  const { file, measure, bodyOf, stream } = exportFormat(name, query.raw === 'true', more)
  const link = (to: string) => ({ url: results.presign(to, linkExpiry) })
  // Files of batches have the model's own labels.
  const isInFile = file && query.whole && view.isModels && hasFiles(summary)
  const written = isInFile ? await results.head(resultsKey(summary.batch, file)) : undefined
  if (written && written.size > maxPageBytes) return link(written.key)
  const records = await openRecords(results, summary.batch, query, view)
  const { limit } = query
  const page = await takePage(records(), (record) => record, { matches: matches(query), limit, measure })
  if (!page.next || limit !== undefined) return { body: await bodyOf(page.items), next: page.next }
  if (written) return link(written.key)
  if (query.urls === 'true' && name === 'jsonl') throw tooLarge('with URLs of the images')
  // A closed batch is read from its file; labels may still be renamed.
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

/** Opens the records to select from: all, or those of some rows of an index. */
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
  new InvalidInputError('answer_too_large', `Too many records for one answer ${why}`, {
    hint: 'Request pages: &limit=1000, then the next link of the Link header; or run whisklens results.',
  })

/** The selected records, until time runs out. */
function inTime(found: AsyncIterable<Found>, query: ResultsRequest, deadline: number) {
  const isWanted = matches(query)
  let isLate = false
  async function* selected() {
    for await (const { record } of found) {
      isLate = Date.now() > deadline - timeToAnswer
      // Any error aborts the upload, so that nothing is left of it.
      if (isLate) throw new Error('out of time')
      if (isWanted(record)) yield record
    }
  }
  return { records: selected(), isLate: () => isLate }
}
