import { batchRequestSchema, summarySchema } from '../../../src/schema'
import { exampleSummary } from '../examples'
import { example, parameterTable } from '../fields'
import { block } from '../markdown'
import { answer, invoke, type Section, wsk } from './section'

const fire = 'wsk trigger fire batch-requested'

export const startBatch: Section = {
  kind: 'action',
  purpose: 'Plans a batch, dispatches it to `classify-images` and follows it until it is closed.',
  text: [
    `Fire the trigger \`batch-requested\` to start it: the rule \`on-batch-requested\` passes the parameters on. A parameter that is not
listed is an error. Booleans and numbers may be text. \`advance\` and \`failed\` are for its own invocations.`,
    parameterTable(batchRequestSchema),
    block(
      'sh',
      [
        wsk(fire, batchRequestSchema, { prefix: 'photos/', batch: 'spring', force: true }),
        wsk(fire, batchRequestSchema, {
          prefix: ['photos/', 'scans/'],
          newerThan: '7d',
          format: 'jpeg,png',
        }),
        wsk(fire, batchRequestSchema, { prefix: 'photos/', sample: '50%', limit: 1000, maxErrors: '5%' }),
        wsk(invoke('start-batch'), batchRequestSchema, { prefix: 'photos/', dryRun: true }),
        wsk(invoke('start-batch'), batchRequestSchema, { poll: '/guest/image-uploaded' }),
      ].join('\n'),
    ),
    `The answer is the [summary](records.md#summary) of the batch at the end of the activation; the batch may still be open, as other
activations continue it. With \`dryRun\`, \`totals\`, \`gbSeconds\` and \`cost\` are what the batch would come to:`,
    block(
      'json',
      example(summarySchema, {
        ...exampleSummary,
        state: 'planning',
        engine: null,
        totals: { listed: 1200, planned: 1000, skipped: 200, ok: 0, error: 0, pending: 1000 },
        labels: [],
        errors: {},
        timings: {
          p50: { download: 0, decode: 0, infer: 0 },
          p95: { download: 0, decode: 0, infer: 0 },
        },
        imagesPerSecond: 0,
        containers: 0,
        exact: false,
        endedAt: null,
      }),
      'check: summary',
    ),
    '`reconcile` and `poll` answer with the batches that they resumed, and with the day of uploads that compares the buckets with the records; a `message` says why none does.',
    answer({ resumed: [], batch: 'uploads-2026-11-22' }),
  ],
}
