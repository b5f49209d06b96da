import { block, table } from '../markdown'

export const classifySection = [
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
printf '{"image": "%s"}' "$(base64 < samples/cat.jpg | tr -d '\\n')" > image.json
curl -s -u "$auth" -H 'Content-Type: application/json' -d @image.json \\
  "http://127.0.0.1:3233/api/v1/namespaces/_/actions/whisklens/classify?blocking=true&result=true"`,
    'prints: "results"',
  ),
  table(
    ['status', 'when'],
    [
      [200, 'The result is in the body.'],
      [202, 'The activation is still running; its `activationId` is in the body.'],
      [400, 'The body is not valid JSON, or sets an input of the package.'],
      [401, 'The key is wrong.'],
      [404, 'The action is not deployed in this namespace.'],
      [429, 'The namespace has reached a limit; try again later.'],
      [502, 'The action failed; `error` in the result says why.'],
    ],
  ),
]
