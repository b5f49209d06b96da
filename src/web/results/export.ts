import { csvHeader, toCsvLine } from '../../batch/reports/csv'
import { hasFiles, matches, readResultsAfter } from '../../batch/reports/results'
import { resultsKey } from '../../batch/state/layout'
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

/** How long a link to a file is good for, in seconds. */
const linkLife = 15 * 60

/**
 * The records of a batch in a text format: all that fit unless a limit is given. Where all are asked for and do
 * not fit, a closed batch has them in a file.
 */
export async function exportRecords(
  results: Bucket,
  summary: BatchSummary,
  request: ResultsRequest,
  { file, header, line }: ExportFormat,
): Promise<Export> {
  const key = resultsKey(summary.batch, file)
  const link = () => ({ url: results.presign(key, linkLife) })
  const written = request.whole && hasFiles(summary) ? await results.head(key) : undefined
  if (written && written.size > maxPageBytes) return link()
  const records = readResultsAfter(results, summary.batch, request.after)
  const page: Page<string> = await takePage(records, line, {
    matches: matches(request),
    limit: request.limit,
  })
  return written && page.next ? link() : { text: header + page.items.join(''), next: page.next }
}
