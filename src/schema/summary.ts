import * as z from 'zod'

const timingsSchema = z.strictObject({
  download: z.number().describe('Milliseconds.'),
  decode: z.number().describe('Milliseconds.'),
  infer: z.number().describe('Milliseconds.'),
})

const countBy = z.record(z.string(), z.int().nonnegative())

/** A batch in one of these states has its results written and goes on only when it is fired again. */
export const isClosed = (state: BatchSummary['state']): boolean =>
  state === 'complete' || state === 'cancelled' || state === 'stopped'

/** How a batch stands. */
export const summarySchema = z.strictObject({
  schema: z.literal('whisklens.summary/1').describe('Name and version of this format.'),
  batch: z.string().describe('Id of the batch.'),
  state: z
    .enum(['planning', 'running', 'complete', 'cancelled', 'stopped'])
    .describe('`planning` and `running` are open; the others are closed.'),
  model: z.string().nullable().describe('Version of the model; `null` before it is known.'),
  engine: z.string().nullable().describe('Engine that ran the model; `null` before it is known.'),
  totals: z
    .strictObject({
      listed: z.int().describe('Images that the filters select.'),
      planned: z.int().describe('Images to classify.'),
      skipped: z.int().describe('Images whose record is still valid.'),
      ok: z.int().describe('Images that were classified.'),
      error: z.int().describe('Images that could not be classified.'),
      pending: z.int().describe('Images without an outcome so far.'),
    })
    .describe('Numbers of images.'),
  labels: z
    .array(
      z.strictObject({
        label: z.string().describe('Label, as the model names it.'),
        count: z.int().describe('Images with this top label.'),
      }),
    )
    .describe('The top labels of all images, most frequent first.'),
  errors: countBy.describe('Number of images by error code.'),
  tags: z
    .strictObject({
      written: z.int().describe('Images that were tagged.'),
      errors: countBy.describe('Number of images that were not tagged, by error code.'),
    })
    .optional()
    .describe('Outcome of `tag`.'),
  timings: z
    .strictObject({
      p50: timingsSchema.describe('Median.'),
      p95: timingsSchema.describe('95th percentile.'),
    })
    .describe('Milliseconds per image, by step.'),
  imagesPerSecond: z
    .number()
    .nonnegative()
    .default(0)
    .describe(
      'Images with an outcome, divided by the time from the start to the last of them; 0 where it is unknown.',
    ),
  containers: z.int().nonnegative().default(0).describe('Containers of `classify` that took part.'),
  gbSeconds: z
    .number()
    .nonnegative()
    .default(0)
    .describe(
      'Memory times duration of the activations of `classify` and `aggregate` that reported. Not counted: activations that died, cold starts, `start-batch`, and what `aggregate` does after it has written its part.',
    ),
  cost: z.number().nonnegative().default(0).describe('`gbSeconds` times `pricePerGbSecond`.'),
  pricePerGbSecond: z.number().nonnegative().default(0).describe('As `WHISKLENS_GB_SECOND_PRICE` says.'),
  throttles: z
    .int()
    .nonnegative()
    .default(0)
    .describe('Invocations that OpenWhisk refused because of its limits.'),
  exact: z
    .boolean()
    .describe(
      'False for an open day of uploads: a key that was uploaded twice is counted twice until the day is closed.',
    ),
  startedAt: z.string().describe('ISO 8601.'),
  endedAt: z.string().nullable().describe('ISO 8601; `null` while the batch is open.'),
  reason: z.string().optional().describe('Why the batch was stopped.'),
})
export type BatchSummary = z.infer<typeof summarySchema>
