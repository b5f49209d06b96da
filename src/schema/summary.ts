import * as z from 'zod'

const countBy = z.record(z.string(), z.int().nonnegative())

/** A batch in one of these states has its results written and goes on only when it is fired again. */
export const isClosed = (state: BatchSummary['state']): boolean =>
  state === 'complete' || state === 'cancelled' || state === 'stopped'

/** How a batch stands. */
export const summarySchema = z.strictObject({
  schema: z.literal('whisklens.summary/1'),
  batch: z.string(),
  state: z.enum(['planning', 'running', 'complete', 'cancelled', 'stopped']),
  model: z.string().nullable(),
  engine: z.string().nullable(),
  totals: z.strictObject({
    listed: z.int(),
    planned: z.int(),
    skipped: z.int(),
    ok: z.int(),
    error: z.int(),
    pending: z.int(),
  }),
  /** Most probable label of each image, counted; most frequent first. */
  labels: z.array(z.strictObject({ label: z.string(), count: z.int() })),
  errors: countBy,
  /** Where images were to be tagged: how many were, and by code how many were not. */
  tags: z.strictObject({ written: z.int(), errors: countBy }).optional(),
  /** Milliseconds per image. */
  timings: z.strictObject({
    p50: z.strictObject({ download: z.number(), decode: z.number(), infer: z.number() }),
    p95: z.strictObject({ download: z.number(), decode: z.number(), infer: z.number() }),
  }),
  /** Images with an outcome, by the time from the start until the last was done; 0 where nothing is known of it. */
  imagesPerSecond: z.number().nonnegative().default(0),
  /**
   * How many containers of `classify` took part, and what the activations that reported used. Not counted is what no
   * report can tell: activations that died, the start of containers, `start-batch`, and what `aggregate` does after it
   * has written its part. 0 where nothing was measured.
   */
  containers: z.int().nonnegative().default(0),
  gbSeconds: z.number().nonnegative().default(0),
  /** `gbSeconds` at that price, in its currency. */
  cost: z.number().nonnegative().default(0),
  pricePerGbSecond: z.number().nonnegative().default(0),
  /** How often OpenWhisk had no room for more. */
  throttles: z.int().nonnegative().default(0),
  /** False while images of a day are still coming in: a key uploaded twice is counted twice until the day is closed. */
  exact: z.boolean(),
  startedAt: z.string(),
  endedAt: z.string().nullable(),
  /** Why the batch was stopped: the failure, or too many errors. */
  reason: z.string().optional(),
})
export type BatchSummary = z.infer<typeof summarySchema>
