import * as z from 'zod'
import { batchIdSchema, batchRequestSchema, rangeSchema } from '../../schema'
import { type Document, openDocument, readDocument, stampShape, type Unstamped } from '../../storage/document'
import type { Bucket } from '../../storage/store'
import { documentKey } from './layout'
import type { Context } from './platform'

/*
 * `batch.json`: all that is known of how a batch stands. It is written before anything else happens, and only ever
 * replaced by a successor of what was read. docs/architecture.md has its states in one picture.
 */

const chunkSchema = rangeSchema.extend({ epoch: z.int() })

/** What was given to `classify-images` and has not reported in full. */
const pieceSchema = z.strictObject({
  ...rangeSchema.shape,
  /** The chunk whose images it is of. */
  chunk: chunkSchema,
  /** When it was given out, milliseconds since the epoch by its giver's clock; 0 while there is no room for it. */
  at: z.number(),
  attempts: z.int().nonnegative(),
  /** The epoch in which it was given out: another holder does not know whether an activation without an id exists. */
  by: z.int(),
  activationId: z.string().optional(),
  /** The platform says that the activation has ended. */
  ended: z.boolean().optional(),
})
export type Piece = z.infer<typeof pieceSchema>

/**
 * The lease on carrying the batch on. It fences only this document: all else is named by epoch, or the same from any writer.
 */
const leaseSchema = z.strictObject({
  /** Activation and attempt; null when the lease is free. */
  holder: z.string().nullable(),
  /** Raised at each takeover, never reset. */
  epoch: z.int().nonnegative(),
  /** Raised whenever the holder writes. */
  beat: z.int().nonnegative(),
  /** How long a holder that does not write is believed to live, milliseconds. */
  duration: z.int().positive(),
  /**
   * `working`; `leaving`: the holder looks once more before it lets go; `yielding`: the next worker takes the lease at once;
   * `idle`: let go when there was nothing left to do.
   */
  phase: z.enum(['working', 'leaving', 'yielding', 'idle']),
  /** More may come: it was taken where work was left, or a notification was heard; not by a mere look at what is there. */
  expects: z.boolean(),
  /** An activation was asked for that sees whether this holder lives. */
  watched: z.boolean(),
})

/** How much the platform takes; it survives hand-overs. */
const windowSchema = z.strictObject({
  /** How many pieces may be under way. */
  size: z.number(),
  /** Whether the platform has refused something, or was late: from then on it grows by one a round, before it doubles. */
  isKnown: z.boolean(),
  /** Nothing is given out before, milliseconds since the epoch. */
  pausedUntil: z.number(),
  /** Invocations that the platform takes in a minute of the clock, where it has said so. */
  perMinute: z.int().positive().optional(),
  /** How many were made in which minute of the clock. */
  minute: z.int(),
  sent: z.int(),
  /** How many pieces have reported since when, milliseconds since the epoch. */
  round: z.strictObject({ at: z.number(), done: z.int() }),
})
export type Window = z.infer<typeof windowSchema>

/** Memory of the actions that a batch is done by, MB. */
export const memorySchema = z.strictObject({
  classify: z.int().positive(),
  aggregate: z.int().positive(),
})

/** The model asked for, the version that answers, and what its work is counted with. */
const modelSchema = z.strictObject({
  model: z.string(),
  modelVersion: z.string(),
  memory: memorySchema.optional(),
  gbSecondPrice: z.number().nonnegative().optional(),
})
export type BatchModel = z.infer<typeof modelSchema>

/**
 * What the lines of a list of images are. `keys`: a key, or `s3://bucket/key`. `json`: an object with `source-ref` or
 * `content`. `pair`: CSV of bucket and key. `inventory`: CSV of bucket, URL-encoded key, and what S3 Inventory tells of an
 * object.
 */
const shapeSchema = z.enum(['keys', 'json', 'pair', 'inventory'])
export type Shape = z.infer<typeof shapeSchema>

/** Of a run that was fired with a list of images: how far that is read and sorted. */
const listSchema = z.strictObject({
  /** The version of the list that is read. */
  etag: z.string(),
  /** What of it is read, and its shape once that is known. */
  bytes: z.int().nonnegative(),
  lines: z.int().nonnegative(),
  shape: shapeSchema.optional(),
  /** Its sorted portions. */
  files: z.array(z.string()),
  /** All of it is sorted: planning goes by the portions. */
  sorted: z.boolean(),
})
export type SortedList = z.infer<typeof listSchema>

const planSchema = z.strictObject({
  /** First position of the current run. Within a run keys are in order. */
  base: z.int().nonnegative(),
  /** Counts of the current run. */
  listed: z.int(),
  skipped: z.int(),
  /** Positions over all runs. */
  planned: z.int(),
  /** Last key of the current run that is planned or skipped. */
  cursor: z.string(),
  done: z.boolean(),
  /** The run saw every image there was: what it did not see is gone. */
  swept: z.boolean(),
  /** Last key that the run may come to: a limited batch that is retried keeps to the images it chose. */
  lastKey: z.string().optional(),
  list: listSchema.optional(),
})
export type Plan = z.infer<typeof planSchema>

const dispatchSchema = z.strictObject({
  /** First position that was not given out yet. */
  next: z.int(),
  pieces: z.array(pieceSchema),
  /** Error records among what is reported in full, over all runs. */
  errors: z.int(),
  /** What had reported, and failed, when the run began: `maxErrors` is about what came after. */
  before: z.strictObject({ reported: z.int(), errors: z.int() }),
  window: windowSchema,
  /** Turns in which the platform refused to take more, over all runs. */
  throttles: z.int().nonnegative(),
})
export type Dispatch = z.infer<typeof dispatchSchema>

/** Of a day of uploads: what is counted and sorted already. */
const sortedSchema = z.strictObject({
  /** All arrivals up to this name are, and all positions up to that one. */
  upTo: z.string(),
  position: z.int(),
  /** Counts of those arrivals. */
  ok: z.int(),
  error: z.int(),
  files: z.array(z.string()),
})
export type Sorted = z.infer<typeof sortedSchema>

/** What activations used: sums of whole milliseconds, and the containers of `classify` seen. */
export const usageSumSchema = z.strictObject({
  classifyMs: z.number(),
  aggregateMs: z.number(),
  containers: z.array(z.string()),
})
export type UsageSum = z.infer<typeof usageSumSchema>

const shared = {
  schema: z.literal('whisklens.batch/1'),
  ...stampShape,
  batch: batchIdSchema,
  kind: z.enum(['fired', 'uploads']),
  /** From 1 on; each firing of a batch that has ended begins another. */
  run: z.int().positive(),
  request: batchRequestSchema,
  /** By which a fire recognizes its own effect. */
  requestId: z.string(),
  bucket: z.string(),
  startedAt: z.string(),
  lease: leaseSchema,
  cancelRequested: z.boolean(),
  /** What activations failed with that is no image's fault, and how often in a row. */
  failure: z.strictObject({ code: z.string(), message: z.string(), count: z.int().positive() }).optional(),
  /** A fire that came while the run was being closed, or not announced yet: the next run. */
  queued: z.strictObject({ request: batchRequestSchema, requestId: z.string() }).optional(),
  model: modelSchema.optional(),
  /** What the runs before used. */
  usage: usageSumSchema,
  plan: planSchema,
  dispatch: dispatchSchema,
  /** Of a day of uploads: when its holder began, found something, or was refused; by its clock, milliseconds since the epoch. */
  busyAt: z.number(),
  sorted: sortedSchema,
}

const ending = {
  outcome: z.enum(['complete', 'cancelled', 'stopped']),
  reason: z.string().optional(),
  /** Etag of the `results.jsonl` that the run before left. */
  previous: z.string().nullable(),
  /** The epochs in which the segments of the files were written, from the first on. */
  segments: z.array(z.int()),
  /** Whether the last one is written. */
  finished: z.boolean(),
  /** The files that are joined. */
  joined: z.array(z.string()),
}

const requestedSchema = z.strictObject({ ...shared, status: z.literal('requested') })
const openSchema = z.strictObject({ ...shared, status: z.literal('open'), model: modelSchema })
const closingSchema = z.strictObject({ ...shared, ...ending, status: z.literal('closing') })
const endedSchema = z.strictObject({
  ...shared,
  ...ending,
  status: z.enum(['complete', 'cancelled', 'stopped']),
  /** Whether `batch-completed` was fired. */
  announced: z.boolean(),
})

export const batchSchema = z.discriminatedUnion('status', [
  requestedSchema,
  openSchema,
  closingSchema,
  endedSchema,
])
export type Batch = z.infer<typeof batchSchema>
export type RequestedBatch = z.infer<typeof requestedSchema>
export type OpenBatch = z.infer<typeof openSchema>
export type ClosingBatch = z.infer<typeof closingSchema>
export type EndedBatch = z.infer<typeof endedSchema>
/** A batch as a change makes it. */
export type NextBatch = Unstamped<Batch>

export type BatchDocument = Document<Batch>

/** Opens the document of a batch; nothing is read yet. */
export const openBatch = (
  { results, clock, random }: Pick<Context, 'results' | 'clock' | 'random'>,
  batch: string,
): BatchDocument => openDocument(results, documentKey(batch), batchSchema, { clock, random })

/** How a batch stands, for those who only look. */
export const readBatch = (results: Bucket, batch: string): Promise<Batch | undefined> =>
  readDocument(results, documentKey(batch), batchSchema)

export const isEnded = (batch: Batch): batch is EndedBatch =>
  batch.status === 'complete' || batch.status === 'cancelled' || batch.status === 'stopped'
