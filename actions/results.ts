import { toJsonLines } from '../src/batch/records/json-lines'
import { batchMetrics } from '../src/batch/reports/metrics'
import { newestBatches } from '../src/batch/reports/newest'
import { matches } from '../src/batch/reports/query'
import { batchNotFound, readResultsAfter } from '../src/batch/reports/results'
import { readSummary } from '../src/batch/reports/summary-object'
import { settingsFromParams } from '../src/config'
import { InvalidInputError } from '../src/errors'
import { openMetricsType, toOpenMetrics } from '../src/openmetrics'
import { ownParameters } from '../src/openwhisk/action'
import { currentActivation } from '../src/openwhisk/activation'
import {
  errorResponse,
  isAuthorized,
  json,
  methodNotAllowed,
  methodOf,
  unauthorized,
  type WebRequest,
  type WebResponse,
} from '../src/openwhisk/web'
import type { BatchSummary, ImageRecord } from '../src/schema'
import { type Bucket, openStore, type Store } from '../src/storage/store'
import { galleryPage } from '../src/web/page'
import { type Export, exportRecords } from '../src/web/results/export'
import { type ExportName, exportTypes } from '../src/web/results/export-formats'
import { indexAnswer } from '../src/web/results/index-answer'
import { chooseView } from '../src/web/results/labels'
import { takePage } from '../src/web/results/page'
import {
  type Format,
  formatOf,
  isPage,
  nextQuery,
  parseResultsRequest,
  type ResultsRequest,
} from '../src/web/results/request'
import { rowsAnswer } from '../src/web/results/rows-answer'

/** Default number of records in a JSON response. */
const defaultLimit = 100

/** Responses contain data, and their URL may contain the token: keep both from caches and other sites. */
const privacy = {
  'cache-control': 'no-store',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
}

/** Serves results as data and as a page: the list of batches, or a batch and its records. */
export async function main(request: WebRequest): Promise<WebResponse> {
  const answer = await answerTo(request).catch(errorResponse)
  return { ...answer, headers: { ...answer.headers, ...privacy } }
}

async function answerTo(request: WebRequest): Promise<WebResponse> {
  const settings = settingsFromParams(request)
  if (!isAuthorized(request, settings.resultsToken)) return refused(request)
  if (methodOf(request) !== 'get') return methodNotAllowed(request.__ow_method, ['GET', 'HEAD'])
  const format = formatOf(request.format, request.__ow_headers.accept)
  const store = openStore(settings)
  const results = store.bucket(settings.resultsBucket)
  // The page loads its data itself; its content policy allows images from this origin only.
  if (format === 'html') return galleryPage(new URL(results.presign('-', 1)).origin)
  if (format === 'openmetrics') return metrics(results)
  const query = parseResultsRequest(ownParameters(request))
  const { view, notice } = await chooseView(results, query, format)
  if (query.batch === undefined)
    return batchList(await newestBatches(results, undefined, view), notice, format)
  const summary = await readSummary(results, query.batch)
  if (!summary) throw batchNotFound(query.batch)
  const { deadline } = currentActivation()
  if (format === 'index') return json(200, await indexAnswer(results, summary, { view, notice, deadline }))
  const { index, rows } = query
  if (format === 'json' && index !== undefined && rows)
    return json(
      200,
      await rowsAnswer(store, results, {
        batch: query.batch,
        index,
        rows,
        view,
        matches: matches(query),
      }),
    )
  const more = query.urls === 'true' ? urlIn(store) : () => ({})
  if (format !== 'json') {
    const found = await exportRecords(results, summary, { query, name: format, view, more, deadline })
    return exported(found, format, query)
  }
  const page = { matches: matches(query), limit: query.limit ?? defaultLimit }
  const render = (record: ImageRecord) => ({ ...record, ...more(record) })
  const records = readResultsAfter(results, query.batch, { after: query.after, view })
  const { items, next } = await takePage(records, render, page)
  const shown = { ...summary, labels: view.counts(summary.labels) }
  return json(200, { summary: shown, records: items, next, notice })
}

/** In a browser the page explains that the token is wrong. */
const refused = ({ format, __ow_method, __ow_headers }: WebRequest): WebResponse =>
  __ow_method === 'get' && isPage(format, __ow_headers.accept)
    ? { ...galleryPage(), statusCode: 401 }
    : unauthorized()

const urlIn =
  (store: Store) =>
  ({ bucket, key, etag }: ImageRecord) => ({ url: store.bucket(bucket).presignHourly(key, etag ?? '').url })

async function metrics(results: Bucket): Promise<WebResponse> {
  const body = toOpenMetrics(await batchMetrics(results, Date.now()))
  return { statusCode: 200, headers: { 'content-type': openMetricsType }, body }
}

function batchList(batches: BatchSummary[], notice: object | undefined, format: Format): WebResponse {
  if (format === 'json') return json(200, { batches, notice })
  if (format === 'jsonl') return text(format, toJsonLines(batches))
  throw new InvalidInputError('bad_parameter', `The list of batches is not available as ${format}`, {
    hint: 'Name a batch with ?batch=…, or use format=jsonl.',
  })
}

function exported(found: Export, format: ExportName, asked: ResultsRequest): WebResponse {
  if ('url' in found) return { statusCode: 302, headers: { location: found.url }, body: '' }
  return text(format, found.body, {
    'content-disposition': `attachment; filename="${asked.batch}.${format}"`,
    ...(found.next && { link: `<?${nextQuery(asked, format, found.next)}>; rel="next"` }),
  })
}

const text = (format: ExportName, body: string, headers = {}): WebResponse => ({
  statusCode: 200,
  headers: { 'content-type': exportTypes[format], ...headers },
  body,
})
