import * as z from 'zod'
import { batchIdSchema, batchRequestSchema, rangeSchema } from '../../schema'
import { type Document, openDocument, readDocument, stampShape, type Unstamped } from '../../storage/document'
import type { Bucket } from '../../storage/store'
import { documentKey } from './layout'
import type { Context } from './platform'

/*
 * `batch.json`: the state of a batch. It is written before anything else happens, and replaced only by
 * compare-and-swap. See the state diagram in docs/architecture.md.
 */

const chunkSchema = rangeSchema.extend({ epoch: z.int() })

/** A range dispatched to `classify-images` that has not fully reported. */
const pieceSchema = z.strictObject({
  ...rangeSchema.shape,
  /** The chunk that contains the range. */
  chunk: chunkSchema,
  /** When it was dispatched, milliseconds since the epoch by the dispatcher's clock; 0 while it waits. */
  at: z.number(),
  attempts: z.int().nonnegative(),
  /** Epoch of the dispatch: after a takeover, an activation without an id may or may not exist. */
  by: z.int(),
  activationId: z.string().optional(),
  /** The platform reports that the activation has ended. */
  ended: z.boolean().optional(),
})
export type Piece = z.infer<typeof pieceSchema>

/**
 * The lease on advancing the batch. It fences only this document: all other objects are named by epoch, or the same
 * from any writer.
 */
const leaseSchema = z.strictObject({
  /** Activation and attempt; null when the lease is free. */
  holder: z.string().nullable(),
  /** Incremented at each takeover, never reset. */
  epoch: z.int().nonnegative(),
  /** Incremented with each write of the holder. */
  beat: z.int().nonnegative(),
  /** How long the lease is live after a write, milliseconds. */
  duration: z.int().positive(),
  /**
   * `working`; `leaving`: checks once more before releasing; `yielding`: the next worker takes the lease at once;
   * `idle`: released with no work left.
   */
  phase: z.enum(['working', 'leaving', 'yielding', 'idle']),
  /** More uploads are expected: work was left, or a notification arrived. */
  expects: z.boolean(),
  /** Another activation was invoked to check that this holder is live. */
  watched: z.boolean(),
})

/** The dispatch window. It survives hand-overs. */
const windowSchema = z.strictObject({
  /** Pieces that may be in flight. */
  size: z.number(),
  /** Whether a refusal or late reports have shown the limit. Growth is additive from then on, exponential before. */
  isKnown: z.boolean(),
  /** Dispatch nothing before, milliseconds since the epoch. */
  pausedUntil: z.number(),
  /** The platform's limit of invocations per clock minute, once known. */
  perMinute: z.int().positive().optional(),
  /** Invocations made in a clock minute. */
  minute: z.int(),
  sent: z.int(),
  /** Pieces reported in the current round, and when it began, milliseconds since the epoch. */
  round: z.strictObject({ at: z.number(), done: z.int() }),
})
export type Window = z.infer<typeof windowSchema>

/** Memory of the actions, MB. */
export const memorySchema = z.strictObject({
  classify: z.int().positive(),
  aggregate: z.int().positive(),
})

/** The requested model, its version, and its cost data. */
const modelSchema = z.strictObject({
  model: z.string(),
  modelVersion: z.string(),
  memory: memorySchema.optional(),
  gbSecondPrice: z.number().nonnegative().optional(),
})
export type BatchModel = z.infer<typeof modelSchema>

/**
 * The shape of a list's lines. `keys`: a key, or `s3://bucket/key`. `json`: an object with `source-ref` or `content`.
 * `pair`: CSV of bucket and key. `inventory`: CSV of bucket, URL-encoded key and the columns of S3 Inventory.
 */
const shapeSchema = z.enum(['keys', 'json', 'pair', 'inventory'])
export type Shape = z.infer<typeof shapeSchema>

/** How far a run's list of images is read and sorted. */
const listSchema = z.strictObject({
  /** The version of the list. */
  etag: z.string(),
  /** Bytes and lines read, and the shape once known. */
  bytes: z.int().nonnegative(),
  lines: z.int().nonnegative(),
  shape: shapeSchema.optional(),
  /** Keys of its sorted portions. */
  files: z.array(z.string()),
  /** Fully sorted: planning reads the portions. */
  sorted: z.boolean(),
})
export type SortedList = z.infer<typeof listSchema>

const planSchema = z.strictObject({
  /** First position of the current run, whose keys are sorted. */
  base: z.int().nonnegative(),
  /** Counts of the current run. */
  listed: z.int(),
  skipped: z.int(),
  /** Positions over all runs. */
  planned: z.int(),
  /** Last key planned or skipped in the current run. */
  cursor: z.string(),
  done: z.boolean(),
  /** The run listed every image: records of others are of deleted images. */
  swept: z.boolean(),
  /** Last key of the run: a retry of a limited batch stays with the images chosen at first. */
  lastKey: z.string().optional(),
  list: listSchema.optional(),
})
export type Plan = z.infer<typeof planSchema>

const dispatchSchema = z.strictObject({
  /** First undispatched position. */
  next: z.int(),
  pieces: z.array(pieceSchema),
  /** Error records of fully reported pieces, over all runs. */
  errors: z.int(),
  /** Counts when the run began: `maxErrors` applies to what came after. */
  before: z.strictObject({ reported: z.int(), errors: z.int() }),
  window: windowSchema,
  /** Turns in which the platform refused invocations, over all runs. */
  throttles: z.int().nonnegative(),
})
export type Dispatch = z.infer<typeof dispatchSchema>

/** For a day of uploads: what is counted and sorted. */
const sortedSchema = z.strictObject({
  /** All arrivals up to this name, and all positions before the next field. */
  upTo: z.string(),
  position: z.int(),
  /** Counts of those arrivals. */
  ok: z.int(),
  error: z.int(),
  files: z.array(z.string()),
})
export type Sorted = z.infer<typeof sortedSchema>

/** Usage of activations: whole milliseconds, and the `classify` containers seen. */
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
  /** Starts at 1; each fire of an ended batch begins another. */
  run: z.int().positive(),
  request: batchRequestSchema,
  /** Identifies the fire, which makes it idempotent. */
  requestId: z.string(),
  bucket: z.string(),
  startedAt: z.string(),
  lease: leaseSchema,
  cancelRequested: z.boolean(),
  /** The last failure that no single image caused, and how often it occurred in a row. */
  failure: z.strictObject({ code: z.string(), message: z.string(), count: z.int().positive() }).optional(),
  /** The next run: fired while this one was closing or not yet announced. */
  queued: z.strictObject({ request: batchRequestSchema, requestId: z.string() }).optional(),
  model: modelSchema.optional(),
  /** Usage of earlier runs. */
  usage: usageSumSchema,
  plan: planSchema,
  dispatch: dispatchSchema,
  /**
   * For a day of uploads: when its holder last began, found something or was refused, milliseconds since the epoch by
   * its clock.
   */
  busyAt: z.number(),
  sorted: sortedSchema,
}

const ending = {
  outcome: z.enum(['complete', 'cancelled', 'stopped']),
  reason: z.string().optional(),
  /** Etag of the previous run's `results.jsonl`. */
  previous: z.string().nullable(),
  /** The epoch in which each segment was written. */
  segments: z.array(z.int()),
  /** Whether the last segment is written. */
  finished: z.boolean(),
  /** The files already joined. */
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
/** A batch before its revision is stamped. */
export type NextBatch = Unstamped<Batch>

export type BatchDocument = Document<Batch>

/** Opens the document of a batch without reading it. */
export const openBatch = (
  { results, clock, random }: Pick<Context, 'results' | 'clock' | 'random'>,
  batch: string,
): BatchDocument => openDocument(results, documentKey(batch), batchSchema, { clock, random })

/** Reads a batch without intent to change it. */
export const readBatch = (results: Bucket, batch: string): Promise<Batch | undefined> =>
  readDocument(results, documentKey(batch), batchSchema)

export const isEnded = (batch: Batch): batch is EndedBatch =>
  batch.status === 'complete' || batch.status === 'cancelled' || batch.status === 'stopped'
