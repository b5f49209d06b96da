import { classifiedSchema } from '../../../src/batch/running/aggregate'
import { parameterTable } from '../fields'
import { block } from '../markdown'
import { answer, invoke, links, type Section } from './section'

export const aggregate: Section = {
  kind: 'action',
  purpose:
    'Stores the records that `classify` answered with, adds them to their batch and resumes the batch. Repeating it changes nothing.',
  text: [
    `The second action of \`classify-images\`. A message with \`results\`, the answer to one image in a message, passes unchanged.`,
    parameterTable(classifiedSchema, links),
    block(
      'sh',
      `${invoke('classify')} --param bucket images --param key photos/cat.jpg > classified.json
${invoke('aggregate')} --param-file classified.json`,
    ),
    'The answer has the batches that got the records, and numbers of records; `next` is the activation that classifies the `rest`.',
    answer({ batches: ['uploads-2026-11-22'], records: { ok: 1, error: 0 } }),
  ],
}
