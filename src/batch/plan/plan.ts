import * as z from 'zod'
import { BatchTakenOverError } from '../../errors'
import { type BatchRequest, batchIdSchema, rangeSchema } from '../../schema'
import { putOnce } from '../../storage/put-once'
import type { Bucket } from '../../storage/store'
import { planKey } from '../layout'
import { memorySchema } from '../summary/usage'
import { type Filters, filtersOf } from './filters'

/** A chunk that was given to `classify-images` and has not reported in full. */
const outstandingSchema = rangeSchema.extend({
  chunk: rangeSchema,
  /** When it was dispatched, milliseconds since the epoch; 0 while the platform has no room for it. */
  at: z.number(),
  attempts: z.int().positive(),
  activationId: z.string().optional(),
  /** When the platform was last asked whether that activation has ended, and whether it has. */
  askedAt: z.number().optional(),
  ended: z.boolean().optional(),
})
export type Outstanding = z.infer<typeof outstandingSchema>

/** `plan.json`: what a batch is about and how far its planning and dispatching have come. Small, however large the batch. */
const planSchema = z.strictObject({
  schema: z.literal('whisklens.plan/1'),
  batch: batchIdSchema,
  bucket: z.string(),
  prefix: z.string(),
  include: z.string().optional(),
  exclude: z.string().optional(),
  since: z.coerce.date().optional(),
  until: z.coerce.date().optional(),
  minSize: z.int().nonnegative().optional(),
  maxSize: z.int().nonnegative().optional(),
  sample: z.string().optional(),
  limit: z.int().positive().optional(),
  /** Last key that the current pass may come to: a limited batch that is retried keeps to the images it chose. */
  lastKey: z.string().optional(),
  force: z.boolean(),
  /** The trigger of the feed whose poll has started the batch: what earlier polls tried in vain may be left alone. */
  feed: z.string().optional(),
  /** Whether the current pass does again what failed in those before, whatever other batches know of it. */
  retry: z.boolean().optional(),
  /** The model asked for, and the version of it that answers. */
  model: z.string(),
  modelVersion: z.string(),
  /** What its GB-seconds are counted with: whoever closes the batch must come to the same cost. */
  memory: memorySchema.optional(),
  gbSecondPrice: z.number().nonnegative().optional(),
  /** Images in a chunk; and how many there may be where the first chunk shows that there are many images. */
  chunkSize: z.int().positive(),
  largestChunk: z.int().positive(),
  /** First position of each planning pass; a batch that is fired again appends one. Within a pass keys are in order. */
  passes: z.array(z.int().nonnegative()).min(1),
  /** Which passes saw every image there was: complete and unfiltered, so that what they did not see is gone. */
  swept: z.array(z.int()).optional(),
  /** Counts of the current pass. */
  listed: z.int(),
  skipped: z.int(),
  /** Positions over all passes. */
  planned: z.int(),
  /** Where the current pass has chunks of other sizes: up to which positions, and of how many images they are. */
  cuts: z.array(z.strictObject({ end: z.int().positive(), chunkSize: z.int().positive() })).optional(),
  /** Last key of the current pass that is planned or skipped. */
  cursor: z.string(),
  done: z.boolean(),
  /** First position that was not dispatched yet. */
  next: z.int(),
  outstanding: z.array(outstandingSchema),
  /** Error records among what is reported in full. */
  errors: z.int(),
  maxErrors: z.string().optional(),
  /** What had reported, and failed, when the batch was last fired: `maxErrors` is about what came after. */
  before: z.strictObject({ reported: z.int(), errors: z.int() }).optional(),
  /** The activation in charge. */
  holder: z.string().optional(),
  /** Why the batch was closed before all was done. */
  ended: z.enum(['cancelled', 'stopped']).optional(),
  /** How often it went on after it was ended early. */
  resumed: z.int().positive().optional(),
  startedAt: z.string(),
})
export type Plan = z.infer<typeof planSchema>

/** Up to this many listed objects a plan is of one page, and `aggregate` closes the batch itself. */
export const onePage = 1000

const defaultChunkSize = 50

/** 9 s of work. At 60 activations a minute, which is OpenWhisk's own limit, 15,000 images. */
const defaultLargestChunk = 250

const chunkSizes = ({ chunkSize }: BatchRequest): Pick<Plan, 'chunkSize' | 'largestChunk'> => ({
  chunkSize: chunkSize ?? defaultChunkSize,
  largestChunk: chunkSize ?? defaultLargestChunk,
})

/** The model that answers, and what its work is counted with. */
export type PlanModel = Pick<Plan, 'model' | 'modelVersion' | 'memory' | 'gbSecondPrice'>

export const newPlan = (
  batch: string,
  request: BatchRequest & Pick<Plan, 'feed'>,
  { bucket, now, ...model }: PlanModel & { bucket: string; now: Date },
): Plan => ({
  schema: 'whisklens.plan/1',
  batch,
  bucket,
  prefix: request.prefix,
  ...filtersOf(request),
  maxErrors: request.maxErrors,
  force: request.force,
  feed: request.feed,
  ...model,
  ...chunkSizes(request),
  passes: [0],
  listed: 0,
  skipped: 0,
  planned: 0,
  cursor: '',
  done: false,
  next: 0,
  outstanding: [],
  errors: 0,
  startedAt: now.toISOString(),
})

/** What a retry goes by: the batch's own filters, and no image beyond those that a limit left. */
const retried = (plan: Plan, { limit }: BatchRequest): Filters & Pick<Plan, 'lastKey'> => ({
  ...filtersOf(plan),
  limit,
  lastKey: plan.lastKey ?? (plan.limit === undefined ? undefined : plan.cursor),
})

/** A further pass below the same prefix, after the batch was closed: nothing of the passes before is left to do. */
export const nextPass = (plan: Plan, request: BatchRequest, model: PlanModel): Plan => ({
  ...plan,
  ...(request.retry ? retried(plan, request) : { ...filtersOf(request), lastKey: undefined }),
  before: { reported: plan.planned, errors: plan.errors },
  maxErrors: request.maxErrors,
  force: request.force,
  feed: undefined,
  retry: request.retry,
  ...model,
  ...chunkSizes(request),
  passes: [...plan.passes, plan.planned],
  listed: 0,
  skipped: 0,
  cuts: undefined,
  cursor: '',
  done: false,
  next: plan.planned,
  outstanding: [],
})

/** The same pass again, from where it was ended early. */
export const resumePass = (plan: Plan, request: BatchRequest): Plan => ({
  ...plan,
  maxErrors: request.maxErrors,
  before: { reported: plan.next, errors: plan.errors },
  ended: undefined,
  resumed: (plan.resumed ?? 0) + 1,
})

/** How often a batch was begun, or gone on with after it had ended. */
export const rounds = (plan: Plan | undefined): number =>
  plan ? plan.passes.length + (plan.resumed ?? 0) : 0

export const readPlan = async (results: Bucket, batch: string): Promise<Plan | undefined> =>
  (await openPlan(results, batch)).plan

/**
 * Opens the plan of a batch for whoever is in charge of it, or closes it in passing.
 * @returns the plan, if there is one; a `save` that throws once somebody else has saved it meanwhile: an activation
 *   that lost its lease without noticing must not turn the plan back; and whether it is still as it was last seen here
 */
export async function openPlan(results: Bucket, batch: string) {
  const key = planKey(batch)
  const found = await results.find(key)
  let etag: string | null = found?.etag ?? null
  let saved = found?.body.toString('utf8')
  const save = async (plan: Plan): Promise<void> => {
    const body = JSON.stringify(plan)
    if (body === saved) return
    const written = await putOnce(results, key, body, etag)
    if (written === undefined) throw new BatchTakenOverError(batch)
    etag = written
    saved = body
  }
  const isCurrent = async () => ((await results.head(key))?.etag ?? null) === etag
  return { plan: saved === undefined ? undefined : planSchema.parse(JSON.parse(saved)), save, isCurrent }
}
