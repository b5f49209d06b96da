import { predictionSchema } from '../../../src/web/max/form'
import { exampleRecord } from '../examples'
import { parameterTable } from '../fields'
import { block, code, json, table } from '../markdown'

export const predictSection = [
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
      [code('GET /swagger.json'), 'API description in Swagger 2.0.'],
      [code('GET /'), 'Page to try the API.'],
    ],
  ),
  'The body of a prediction is `multipart/form-data`. OpenWhisk takes requests of up to 1 MiB.',
  parameterTable(predictionSchema),
  block(
    'sh',
    `predict=http://127.0.0.1:3233/api/v1/web/guest/whisklens/predict
curl -s -H "Authorization: Bearer $token" -F image=@samples/cat.jpg "$predict/model/predict"
curl -s -H "Authorization: Bearer $token" "$predict/model/metadata"`,
    'prints: "status":"ok"',
  ),
  block(
    'json',
    json({
      status: 'ok',
      predictions: exampleRecord.labels.map(({ wordnetId, label, probability }) => ({
        label_id: wordnetId,
        label,
        probability,
      })),
    }),
  ),
  `Models that detect objects answer with \`label\`, \`label_id\`, \`probability\` and \`detection_box\`; those for faces with what their models of
MAX answer: \`swagger.json\` of a deployment has the fields.`,
  '### Status codes',
  table(
    ['status', 'when'],
    [
      [200, 'The answer is in the body.'],
      [400, 'The form has no image, the image is not valid, or `threshold` is not a number from 0 to 1.'],
      [401, 'The token is missing or wrong.'],
      [404, 'Unknown path.'],
      [405, 'The path does not support the method; `Allow` lists those it does.'],
      [500, 'The model cannot be loaded, or something unexpected failed.'],
    ],
  ),
  'The body of an error is `{"status": "error", "message"}`, as with MAX.',
]
