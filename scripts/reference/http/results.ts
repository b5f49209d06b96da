import * as z from 'zod'
import { type ErrorCode, errorKind } from '../../../src/error-codes'
import { formatSchema, requestSchema } from '../../../src/web/results/request'
import { exampleRecord, exampleSummary } from '../examples'
import { parameterTable } from '../fields'
import { block, code, json, table } from '../markdown'

const statusTable = (answered: [status: number, when: string][], codes: ErrorCode[]): string =>
  table(
    ['status', 'when'],
    [
      ...answered,
      ...codes
        .map((name) => ({ name, ...errorKind(name) }))
        .sort((a, b) => a.status - b.status)
        .map(({ name, status, when }): [number, string] => [status, `\`${name}\`: ${when}`]),
    ],
  )

const { schema, batch, state, totals } = exampleSummary
const { labels: _, ...shortRecord } = exampleRecord

export const resultsSection = [
  '## results',
  'Answers with the batches, the records of one batch, an export of them, metrics, or the gallery.',
  table(
    ['request', 'answer'],
    [
      [code('GET /'), 'The gallery in a browser, else the 50 newest batches: `{"batches": [summary …]}`.'],
      [code('GET /?batch=ID'), 'One page of records: `{"summary", "records", "next"}`.'],
      [
        code('GET /?batch=ID&format=jsonl'),
        'An export: `jsonl`, `csv` or `parquet` ([columns](records.md#columns-of-exports)).',
      ],
      [
        code('GET /?batch=ID&format=index'),
        'The summary, and the directory of the [index](records.md#index) with its `id` and a `url` of the file.',
      ],
      [
        code('GET /?batch=ID&index=INDEX&rows=0-99'),
        'The records of these rows, at most 200, with a `url` and a `thumbnailUrl` each.',
      ],
      [code('GET /?format=openmetrics'), 'Metrics for Prometheus.'],
    ],
  ),
  '`HEAD` is answered as `GET` is, without a body. Unknown parameters are ignored; an empty one counts as not given.',
  parameterTable(z.object({ format: formatSchema.optional() }).extend(requestSchema.shape)),
  'For the media types `text/html`, `application/openmetrics-text`, `application/x-ndjson` and `text/csv`, the header `Accept` has the effect of `format`.',
  '### Examples',
  block('sh', 'curl -s -H "Authorization: Bearer $token" "$results"', 'prints: "batches"'),
  block(
    'sh',
    'curl -s -H "Authorization: Bearer $token" "$results?batch=web&label=cat&minProbability=0.3&limit=10"',
    'prints: photos/cat.jpg',
  ),
  'The answer, shortened:',
  block(
    'json',
    json({
      summary: { schema, batch, state, totals: { ...totals } },
      records: [{ ...shortRecord, labels: exampleRecord.labels.slice(0, 1) }],
      next: 'WyJwaG90b3MvY2F0LmpwZyIsImltYWdlcyJd',
    }),
  ),
  `\`next\` is missing on the last page; a page may have fewer records than \`limit\`, even none, and still have a \`next\`. \`notice\` says why
\`labels.json\` was not applied.`,
  block(
    'sh',
    `curl -sL -H "Authorization: Bearer $token" "$results?batch=web&format=csv&raw=true"
curl -sL -H "Authorization: Bearer $token" "$results?batch=web&format=parquet" -o web.parquet
curl -s -H "Authorization: Bearer $token" -H 'Accept: application/x-ndjson' "$results?batch=web&urls=true"
curl -s -H "Authorization: Bearer $token" "$results?batch=web&format=index"
curl -s -H "Authorization: Bearer $token" "$results?format=openmetrics"`,
  ),
  `An export that is larger than OpenWhisk allows an answer to be is a redirect to a file in the results bucket; the link is valid for 15
minutes. With \`limit\`, an export is a page, and its \`Link\` header names the next one.`,
  '### Status codes',
  statusTable(
    [
      [200, 'The answer is in the body.'],
      [302, 'The export is a file; `Location` is its link.'],
    ],
    [
      'bad_parameter',
      'answer_too_large',
      'unauthorized',
      'batch_not_found',
      'method_not_allowed',
      'index_changed',
      'bad_labels',
      'store_failed',
    ],
  ),
  'The body of an error is `{"error": {"code", "message", "hint"}}`; [errors.md](errors.md) lists all codes.',
  block(
    'sh',
    'curl -s -H "Authorization: Bearer $token" "$results?batch=missing"',
    'prints: "batch_not_found"',
  ),
]
