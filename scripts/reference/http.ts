import * as z from 'zod'
import { type ErrorCode, errorKind } from '../../src/error-codes'
import { predictionSchema } from '../../src/web/max/form'
import { formatSchema, requestSchema } from '../../src/web/results/request'
import { exampleRecord, exampleSummary } from './examples'
import { parameterTable } from './fields'
import { block, code, generatedBy, json, page, table } from './markdown'

/*
 * http.md.
 */

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

const shown = (value: object): string => block('json', json(value))

const { schema, batch, state, totals } = exampleSummary
const { labels: _, ...shortRecord } = exampleRecord

const resultsSection = [
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
  shown({
    summary: { schema, batch, state, totals: { ...totals } },
    records: [{ ...shortRecord, labels: exampleRecord.labels.slice(0, 1) }],
    next: 'WyJwaG90b3MvY2F0LmpwZyIsImltYWdlcyJd',
  }),
  `\`next\` is missing on the last page; a page may have fewer records than \`limit\`, even none, and still have a \`next\`. \`notice\` tells why
\`labels.json\` is not applied, where it cannot be used.`,
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

const predictSection = [
  '## predict',
  `The prediction API of the Model Asset eXchange (MAX): its clients only change the URL. It is open to all unless
\`WHISKLENS_RESULTS_TOKEN\` is set.`,
  table(
    ['request', 'answer'],
    [
      [
        code('POST /model/predict'),
        'Predictions for the image in the form; the same as `POST` to the bare URL.',
      ],
      [
        code('GET /model/metadata'),
        '`{"id", "name", "description", "type", "source", "license"}` of the model.',
      ],
      [
        code('GET /model/labels'),
        '`{"count", "labels": [{"id", "name"}]}`; only for models that have labels.',
      ],
      [code('GET /swagger.json'), 'The description of the API.'],
      [code('GET /'), 'A page to try it.'],
    ],
  ),
  'The body of a prediction is `multipart/form-data`. OpenWhisk takes requests of up to 1 MiB.',
  parameterTable(predictionSchema),
  block(
    'sh',
    `predict=http://127.0.0.1:3233/api/v1/web/guest/whisklens/predict
curl -s -H "Authorization: Bearer $token" -F image=@cat.jpg "$predict/model/predict"
curl -s -H "Authorization: Bearer $token" "$predict/model/metadata"`,
    'prints: "status":"ok"',
  ),
  shown({
    status: 'ok',
    predictions: exampleRecord.labels.map(({ wordnetId, label, probability }) => ({
      label_id: wordnetId,
      label,
      probability,
    })),
  }),
  `Models that detect objects answer with \`label\`, \`label_id\`, \`probability\` and \`detection_box\`; those for faces with what their models of
MAX answer: \`swagger.json\` of a deployment has the fields.`,
  '### Status codes',
  table(
    ['status', 'when'],
    [
      [200, 'The answer is in the body.'],
      [400, 'The form has no image, the image is not valid, or `threshold` is not a number from 0 to 1.'],
      [401, 'The token is missing or wrong.'],
      [404, 'There is no such path.'],
      [405, 'The path does not have this method; `Allow` names those that it has.'],
      [500, 'The model cannot be loaded, or something unexpected failed.'],
    ],
  ),
  'The body of an error is `{"status": "error", "message"}`, as with MAX.',
]

const classifySection = [
  '## classify',
  `An action without a web address: invoke it through OpenWhisk's API with the key of the namespace. The body is one of its
[messages](actions.md#classify), in JSON.`,
  block('text', 'POST /api/v1/namespaces/_/actions/whisklens/classify?blocking=true&result=true'),
  table(
    ['parameter', 'meaning'],
    [
      [
        '`blocking`',
        '`true` waits for the result, up to 60 seconds; otherwise the answer is 202 with the `activationId`.',
      ],
      ['`result`', '`true` answers with the result alone, otherwise with the whole activation.'],
    ],
  ),
  block(
    'sh',
    `auth=$(node -p 'require("./.whisklens/connection.json").auth')
printf '{"image": "%s"}' "$(base64 < cat.jpg | tr -d '\\n')" > image.json
curl -s -u "$auth" -H 'Content-Type: application/json' -d @image.json \\
  "http://127.0.0.1:3233/api/v1/namespaces/_/actions/whisklens/classify?blocking=true&result=true"`,
    'prints: "results"',
  ),
  table(
    ['status', 'when'],
    [
      [200, 'The result is in the body.'],
      [202, 'The activation is not over; its `activationId` is in the body.'],
      [400, 'The body is not valid JSON, or sets an input of the package.'],
      [401, 'The key is wrong.'],
      [404, 'The action is not deployed in this namespace.'],
      [429, 'The namespace has reached a limit; try again later.'],
      [502, 'The action failed; `error` in the result says why.'],
    ],
  ),
]

export const httpPage = (): string =>
  page(
    '# HTTP',
    generatedBy('the schemas in `src/web`'),
    `What the web actions \`results\` and \`predict\` and the action \`classify\` take and answer over HTTP. A web action has the address
\`https://APIHOST/api/v1/web/NAMESPACE/whisklens/ACTION\`; in the local mode that is \`http://127.0.0.1:3233/api/v1/web/guest/whisklens/ACTION\`.`,
    `The token is \`WHISKLENS_RESULTS_TOKEN\`, as \`Authorization: Bearer TOKEN\` or as \`?token=TOKEN\`. The examples take that of the local mode,
and a batch of these photos:`,
    block(
      'sh',
      `whisklens upload photos/ --prefix photos/
whisklens batch photos/ --batch web --force
results=http://127.0.0.1:3233/api/v1/web/guest/whisklens/results
token=$(node -p 'require("./.whisklens/connection.json").webToken')`,
    ),
    ...resultsSection,
    ...predictSection,
    ...classifySection,
  )
