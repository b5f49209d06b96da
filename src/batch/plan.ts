import { z } from 'zod'
import { BatchTakenOverError } from '../errors'
import { type BatchRequest, batchIdSchema, type ImageRef, rangeSchema } from '../schema'
import { putOnce } from '../storage/put-once'
import type { Bucket, ObjectInfo } from '../storage/store'
import { inOrder, selects } from './keys'
import { chunkKey, planKey, recordsPrefix } from './layout'
import { pairWithRecords } from './merge'
import { toJsonLines } from './parts'
import { readRecord } from './record'

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
export const planSchema = z.strictObject({
  schema: z.literal('whisklens.plan/1'),
  batch: batchIdSchema,
  bucket: z.string(),
  prefix: z.string(),
  include: z.string().optional(),
  exclude: z.string().optional(),
  since: z.coerce.date().optional(),
  limit: z.int().positive().optional(),
  force: z.boolean(),
  /** The model asked for, and the version of it that answers. */
  model: z.string(),
  modelVersion: z.string(),
  chunkSize: z.int().positive(),
  /** First position of each planning pass; a batch that is fired again appends one. Within a pass keys are in order. */
  passes: z.array(z.int().nonnegative()).min(1),
  /** Counts of the current pass. */
  listed: z.int(),
  skipped: z.int(),
  /** Positions over all passes. */
  planned: z.int(),
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
  startedAt: z.string(),
})
export type Plan = z.infer<typeof planSchema>

/** Up to this many listed objects a plan is of one page, and `aggregate` closes the batch itself. */
export const onePage = 1000

const defaultChunkSize = 50

/** A record younger than its image by less than this is read before it is believed: clocks differ, uploads take time. */
const certainAfter = 15 * 60 * 1000

export const newPlan = (
  batch: string,
  request: BatchRequest,
  { bucket, model, modelVersion, now }: { bucket: string; model: string; modelVersion: string; now: Date },
): Plan => ({
  schema: 'whisklens.plan/1',
  batch,
  bucket,
  prefix: request.prefix,
  include: request.include,
  exclude: request.exclude,
  since: request.since,
  limit: request.limit,
  maxErrors: request.maxErrors,
  force: request.force,
  model,
  modelVersion,
  chunkSize: request.chunkSize ?? defaultChunkSize,
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

/** A further pass over the same images, after the batch was closed: nothing of the passes before is left to do. */
export const nextPass = (
  plan: Plan,
  request: BatchRequest,
  { model, modelVersion }: Pick<Plan, 'model' | 'modelVersion'>,
): Plan => ({
  ...plan,
  maxErrors: request.maxErrors,
  force: request.force,
  model,
  modelVersion,
  chunkSize: request.chunkSize ?? defaultChunkSize,
  passes: [...plan.passes, plan.planned],
  listed: 0,
  skipped: 0,
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
})

export const readPlan = async (results: Bucket, batch: string): Promise<Plan | undefined> =>
  (await openPlan(results, batch)).plan

export async function savePlan(results: Bucket, plan: Plan): Promise<void> {
  await results.put(planKey(plan.batch), JSON.stringify(plan), { contentType: 'application/json' })
}

/**
 * Opens the plan of a batch for whoever is in charge of it.
 * @returns the plan, if there is one, and a `save` that throws once somebody else has saved it meanwhile: an activation
 *   that lost its lease without noticing must not turn the plan back
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
  return { plan: saved === undefined ? undefined : planSchema.parse(JSON.parse(saved)), save }
}

async function* recordsOf(
  results: Bucket,
  { modelVersion, bucket, prefix, cursor }: Plan,
): AsyncGenerator<ObjectInfo> {
  const root = recordsPrefix(modelVersion, bucket)
  const listing = results.list({ prefix: root + prefix, startAfter: cursor && root + cursor })
  for await (const record of listing) yield { ...record, key: record.key.slice(root.length) }
}

/** Where planning stands after some image. */
export type Position = Pick<Plan, 'listed' | 'skipped' | 'planned' | 'cursor' | 'done' | 'chunkSize'>

/**
 * A chunk to be written, and where planning stands after it. An empty one only says how far planning has come, or that
 * it is done.
 */
export interface PlannedChunk {
  images: ImageRef[]
  position: Position
}

/** A batch too small for full chunks is still spread over so many activations, of at least so many images. */
const fanOut = 8
const smallestChunk = 4

/**
 * Walks on through the source listing from the plan's cursor, in chunks of what has to be classified. The plan itself
 * is left alone: whoever has written a chunk moves it on to `position`, and so chunk and plan always agree.
 */
export async function* planChunks(plan: Plan, images: Bucket, results: Bucket): AsyncGenerator<PlannedChunk> {
  let { chunkSize } = plan
  let pending: Step[] = []
  let first = plan.planned === plan.passes.at(-1)
  let reached = positionOf(plan)
  for await (const step of missingImages(plan, images, results)) {
    const { done } = step.position
    if (step.image || done) pending.push(step)
    else {
      // What is pending must not be passed by: it would be lost if planning went on from there in another activation.
      if (pending.length === 0) reached = step.position
      yield { images: [], position: { ...reached } }
      continue
    }
    if (first && !done && pending.length < fanOut * chunkSize) continue
    // All of a small batch is seen before its first chunk; later chunks must be of the first one's size.
    if (first && done) {
      chunkSize = Math.min(chunkSize, Math.max(smallestChunk, Math.ceil((pending.length - 1) / fanOut)))
    }
    first = false
    while (pending.length >= (done ? 1 : chunkSize)) {
      const steps = pending.slice(0, chunkSize)
      pending = pending.slice(chunkSize)
      reached = { ...(steps.at(-1) ?? step).position, chunkSize }
      yield { images: steps.flatMap(({ image }) => image ?? []), position: { ...reached } }
    }
  }
}

const positionOf = ({ listed, skipped, planned, cursor, done, chunkSize }: Plan): Position => ({
  listed,
  skipped,
  planned,
  cursor,
  done,
  chunkSize,
})

/** So many images are walked past at most before it is told how far the walk has come. */
const checkpointEvery = 100

/** One image that is missing, or none: how far the walk has come. */
interface Step {
  image?: ImageRef
  position: Position
}

async function* missingImages(plan: Plan, images: Bucket, results: Bucket): AsyncGenerator<Step> {
  const selected = selects(plan)
  const source = inOrder(
    images.list({ prefix: plan.prefix, startAfter: plan.cursor || undefined }),
    plan.cursor,
  )
  const first = plan.passes.at(-1) ?? 0
  const walk: Position = { ...positionOf(plan), done: false }
  let walked = 0
  for await (const { image, record } of pairWithRecords(source, inOrder(recordsOf(results, plan)))) {
    if (plan.limit !== undefined && walk.planned - first >= plan.limit) break
    if (++walked % checkpointEvery === 0) yield { position: { ...walk } }
    walk.cursor = image.key
    if (!selected(image)) continue
    walk.listed++
    if (!plan.force && (await isFresh(plan, image, record, results))) {
      walk.skipped++
      continue
    }
    walk.planned++
    yield { image: { bucket: plan.bucket, ...image }, position: { ...walk } }
  }
  yield { position: { ...walk, done: true } }
}

async function isFresh(
  plan: Plan,
  image: ObjectInfo,
  record: ObjectInfo | undefined,
  results: Bucket,
): Promise<boolean> {
  // A record's key can be too long to be listed beside its image; that one is looked up.
  const listed = Buffer.byteLength(recordsPrefix(plan.modelVersion, plan.bucket) + image.key) <= 1024
  if (listed && !record) return false
  if (record && Date.parse(record.lastModified) - Date.parse(image.lastModified) > certainAfter) return true
  const known = await readRecord(results, plan.modelVersion, { bucket: plan.bucket, key: image.key })
  return known?.etag === image.etag
}

/** Writes the images of one chunk, to be dispatched from then on. */
export async function writeChunk(
  results: Bucket,
  batch: string,
  start: number,
  images: ImageRef[],
): Promise<void> {
  const key = chunkKey(batch, { start, end: start + images.length })
  await results.put(key, toJsonLines(images), { contentType: 'application/x-ndjson' })
}
