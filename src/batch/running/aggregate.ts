import pLimit from 'p-limit'
import * as z from 'zod'
import { isoOf } from '../../clock'
import { log, logged } from '../../log'
import { siblingAction } from '../../openwhisk/activation'
import { type ImageRecord, imageRefSchema, pieceSchema, type Range, recordSchema } from '../../schema'
import { listParts, writePart } from '../records/parts'
import { outcomesOf } from '../records/record'
import { storeRecord } from '../records/retry'
import type { Usage } from '../records/usage'
import { type Batch, type BatchDocument, isEnded, openBatch } from '../state/batch'
import { ensureAdvancing, invokeAdvance, needsHolder } from '../state/hand-over'
import { putEntry } from '../state/open'
import { type Context, retrying } from '../state/platform'
import { applyFire } from '../state/transitions'
import { writeArrival } from '../uploads/arrivals'
import { dayCreator, ensureDay, uploadsBatch } from '../uploads/day'
import { gaps } from './coverage'
import type { ChunkMessage } from './dispatch'
import { failureOf, noteFailure } from './failure'
import { tagImages } from './tag'

/** Output of `classify`: the records, and for a piece of a batch its range. */
export const classifiedSchema = z.object({
  images: z.array(recordSchema).describe('Records of the images.'),
  rest: z.array(imageRefSchema).optional().describe('Images of a list that there was no time for.'),
  batch: z.string().optional().describe('Id of the batch. The uploads of the day unless given.'),
  part: pieceSchema
    .extend({ model: z.string().describe('Name of the model.') })
    .optional()
    .describe('The piece of the batch.'),
  failure: z
    .object({
      code: z.string().describe('Code of the error.'),
      message: z.string().describe('Message for people.'),
    })
    .optional()
    .describe('Why there are no records, where no image is to blame.'),
  spent: z
    .object({
      ms: z.number().nonnegative().describe('Duration of the activation, milliseconds.'),
      container: z.string().describe('Id of the container.'),
    })
    .optional()
    .describe('What the activation used.'),
})
export type Classified = z.infer<typeof classifiedSchema>

interface Aggregated {
  batches: string[]
  /** Not named `error`: OpenWhisk would treat the action as failed. */
  records: { ok: number; error: number }
  /** The activation that classifies the rest. */
  next?: string
}

const atOnce = 8

/**
 * Stores the records of one `classify` activation: each as its image's newest, and all as a part of the batch.
 * Dispatches the rest and ensures that the batch has a holder. Idempotent.
 */
export function aggregate(classified: Classified, context: Context): Promise<Aggregated> {
  const { batch = uploadsBatch(classified.images[0]?.at ?? isoOf(context.clock.now())) } = classified
  return logged({ batch }, async () => {
    const aggregated = await storeClassified(classified, context)
    log.info({ ...aggregated.records, part: classified.part }, 'records stored')
    return aggregated
  })
}

async function storeClassified(classified: Classified, context: Context): Promise<Aggregated> {
  const began = context.clock.now()
  const { images, spent, batch, part } = classified
  // Measured just before the part is written: what follows cannot be included.
  const usage = (): Usage | undefined =>
    spent && {
      classifyMs: spent.ms,
      aggregateMs: context.clock.now() - began,
      container: spent.container,
    }
  const isPart = batch !== undefined && part !== undefined
  const failed = classified.failure
    ? { failure: classified.failure, done: 0 }
    : await failureOf(images, isPart ? context : undefined)
  if (failed) {
    const done = images.slice(0, failed.done)
    if (isPart) {
      await storePart({ images: done, batch, part }, context, usage)
      await noteFailure(batch, part.by, failed.failure, context)
    }
    return { batches: batch === undefined ? [] : [batch], records: outcomesOf(done) }
  }
  const { batches, rest } = isPart
    ? await storePart({ images, batch, part }, context, usage)
    : await storeArrival(classified, context, { at: began, usage })
  const { openwhisk, activation } = context
  const sequence = siblingAction(activation, 'classify-images')
  const next = rest && (await retrying(context, () => openwhisk.invoke(sequence, rest)))
  for (const id of batches) await (isPart ? ensureHolder : ensureDayHolder)(id, context)
  return { batches, records: outcomesOf(images), next }
}

/** The batches that got records, and the message for the rest. */
interface Stored {
  batches: string[]
  rest?: object
}

async function storeRecords(images: ImageRecord[], context: Context): Promise<void> {
  const limit = pLimit(atOnce)
  await Promise.all(images.map((record) => limit(() => storeRecord(context, record))))
}

async function storePart(
  piece: { images: ImageRecord[]; batch: string; part: NonNullable<Classified['part']> },
  context: Context,
  usage: () => Usage | undefined,
): Promise<Stored> {
  const { results, activation } = context
  const { batch, part } = piece
  // Tags first: a part is written once, and its records report the tagging.
  const images = part.tag ? await tagImages(piece.images, context) : piece.images
  await storeRecords(images, context)
  if (images.length > 0) await writePart(results, batch, part.start, images, activation.id, usage())
  const { chunk, end, model, by, exif, tag } = part
  const rest: ChunkMessage = { batch, by, chunk, start: part.start + images.length, end, model, exif, tag }
  return { batches: [batch], rest: rest.start < end ? rest : undefined }
}

/** Starts an activation for a batch whose holder is gone or may have just died: no other event may follow. */
async function ensureHolder(id: string, context: Context): Promise<void> {
  const document = openBatch(context, id)
  const batch = await document.read()
  if (!batch || isEnded(batch)) return
  if (needsHolder(batch, document.age())) await ensureAdvancing(context, id)
  else if ((await mayBeLast(batch, context)) && (await isFirstNudge(document)))
    await invokeAdvance(context, id)
}

/**
 * When many parts finish together, only one invokes another activation. It is needed only if the holder has just died.
 */
async function isFirstNudge(document: BatchDocument): Promise<boolean> {
  let isFirst = false
  await document.update((batch) => {
    isFirst = batch?.status === 'open' && !batch.lease.watched
    return isFirst && batch ? { ...batch, lease: { ...batch.lease, watched: true } } : undefined
  })
  return isFirst
}

/** Whether every piece of the batch has reported. */
async function mayBeLast({ batch, plan, dispatch }: Batch, { results }: Context): Promise<boolean> {
  if (!plan.done || dispatch.next < plan.planned || dispatch.pieces.length === 0) return false
  const parts: Range[] = []
  const from = Math.min(...dispatch.pieces.map(({ chunk }) => chunk.start))
  for await (const part of listParts(results, batch, from)) parts.push(part)
  return dispatch.pieces.every((piece) => gaps(piece, parts).length === 0)
}

/** Stores images named by notifications as uploads of their day. */
async function storeArrival(
  { images, rest = [] }: Classified,
  context: Context,
  { at, usage }: { at: number; usage: () => Usage | undefined },
): Promise<Stored> {
  const { results, activation } = context
  const days = [...new Set(images.map((record) => uploadsBatch(record.at)))].sort()
  for (const [index, day] of days.entries()) {
    // First: without a document, a day's arrivals would be in no results.
    await ensureDay(day, context)
    const records = images.filter((record) => uploadsBatch(record.at) === day)
    const used = index === 0 ? usage() : undefined
    await writeArrival(results, day, records, { at, activationId: activation.id, usage: used })
  }
  // Last, because a stored record counts as done: if this activation dies before, a scan finds the images again.
  await storeRecords(images, context)
  return { batches: days, rest: rest.length > 0 ? { images: rest } : undefined }
}

/** Ensures that a day has a holder to count arrivals and scan the buckets. A closed day begins another run. */
async function ensureDayHolder(day: string, context: Context): Promise<void> {
  const document = openBatch(context, day)
  const batch = await document.read()
  if (batch && 'outcome' in batch) {
    await putEntry(context.results, day, batch.run + 1)
    const what = { request: batch.request, requestId: context.activation.id }
    await document.update((current) => current && applyFire(current, what))
  }
  if (!batch || needsHolder(batch, document.age()))
    await ensureAdvancing(context, day, { create: dayCreator(context, day), expects: true })
}
