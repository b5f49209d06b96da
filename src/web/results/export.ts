import { Readable } from 'node:stream'
import { csvHeader, toCsvLine } from '../../batch/reports/csv'
import { type Found, hasFiles, matches, readResultsAfter } from '../../batch/reports/results'
import { exportKey, resultsKey } from '../../batch/state/layout'
import { InvalidInputError } from '../../errors'
import type { BatchSummary, ImageRecord } from '../../schema'
import type { Bucket } from '../../storage/store'
import { maxPageBytes, type Page, takePage } from './page'
import type { ResultsRequest } from './request'

/** A batch's records as text: the text itself, or where it lies when it is too large for an answer. */
export type Export = { text: string; next?: string } | { url: string }

export interface ExportFormat {
  file: 'results.jsonl' | 'results.csv'
  header: string
  line: (record: ImageRecord) => string
}

export const csv: ExportFormat = { file: 'results.csv', header: csvHeader, line: toCsvLine }

export const jsonLines = (render: (record: ImageRecord) => object): ExportFormat => ({
  file: 'results.jsonl',
  header: '',
  line: (record) => `${JSON.stringify(render(record))}\n`,
})

/** The charset is not decoration: without it OpenWhisk takes a type it does not know for binary. */
export const textTypes = { jsonl: 'application/x-ndjson; charset=utf-8', csv: 'text/csv; charset=utf-8' }

/** How long a link to a file is good for, in seconds. */
const linkLife = 15 * 60

/** So long before the platform ends the activation, writing a file is given up, milliseconds. */
const timeToAnswer = 10_000

/** Writing goes in pieces of this size, bytes: a stream of single lines is slow. */
const pieceBytes = 64 * 1024

export interface ExportRequest {
  query: ResultsRequest
  format: ExportFormat
  /** When the platform ends the activation, milliseconds since the epoch. */
  deadline: number
}

/**
 * The records of a batch in a text format: a page where a limit is given, else all of them. What does not fit into an
 * answer lies in a file: a closed batch has one of all its records; any other selection is written to one.
 * @throws InvalidInputError when there is no time to write it
 */
export async function exportRecords(
  results: Bucket,
  summary: BatchSummary,
  { query, format, deadline }: ExportRequest,
): Promise<Export> {
  const { file, header, line } = format
  const key = resultsKey(summary.batch, file)
  const link = (to: string) => ({ url: results.presign(to, linkLife) })
  const written = query.whole && hasFiles(summary) ? await results.head(key) : undefined
  if (written && written.size > maxPageBytes) return link(key)
  const records = () => readResultsAfter(results, summary.batch, query.after)
  const { limit } = query
  const page: Page<string> = await takePage(records(), line, { matches: matches(query), limit })
  if (!page.next || limit !== undefined) return { text: header + page.items.join(''), next: page.next }
  if (written) return link(key)
  if (query.urls === 'true') throw tooLarge('with URLs of the images')
  const target = exportKey(summary.batch, JSON.stringify(query), file)
  await writeLines(results, target, records(), { query, format, deadline })
  return link(target)
}

const tooLarge = (why: string): InvalidInputError =>
  new InvalidInputError('answer_too_large', `The records are too many for one answer ${why}`, {
    hint: 'Ask for pages: &limit=1000, then what the link header names as next; or run whisklens results.',
  })

async function writeLines(
  results: Bucket,
  key: string,
  records: AsyncIterable<Found>,
  { query, format: { header, line }, deadline }: ExportRequest,
): Promise<void> {
  const isWanted = matches(query)
  let isLate = false
  async function* pieces(): AsyncGenerator<string> {
    let piece = header
    for await (const { record } of records) {
      isLate = Date.now() > deadline - timeToAnswer
      // Whatever is thrown aborts the upload: nothing is left of it.
      if (isLate) throw new Error('out of time')
      if (isWanted(record)) piece += line(record)
      if (piece.length < pieceBytes) continue
      yield piece
      piece = ''
    }
    yield piece
  }
  const type = key.endsWith('.csv') ? textTypes.csv : textTypes.jsonl
  try {
    await results.putStream(key, Readable.from(pieces(), { objectMode: false }), type)
  } catch (thrown) {
    throw isLate ? tooLarge('to be written in time') : thrown
  }
}
