import pLimit from 'p-limit'
import * as z from 'zod'
import { isoOf } from '../../clock'
import { log, logged } from '../../log'
import { siblingAction } from '../../openwhisk/activation'
import { type ImageRecord, imageRefSchema, pieceSchema, type Range, recordSchema } from '../../schema'
import { listParts, writePart } from '../records/parts'
import { outcomesOf } from '../records/record'
import { keepRecord } from '../records/retry'
import type { Usage } from '../records/usage'
import { type Batch, type BatchDocument, isEnded, openBatch } from '../state/batch'
import { ensureAdvancing, invokeAdvance, needsHolder } from '../state/hand-over'
import { putEntry } from '../state/open'
import { type Context, retrying } from '../state/platform'
import { fired } from '../state/transitions'
import { writeArrival } from '../uploads/arrivals'
import { dayMaker, makeDay, uploadsBatch } from '../uploads/day'
import { gaps } from './coverage'
import type { ChunkMessage } from './dispatch'
import { failureOf, noteFailure } from './failure'
import { tagImages } from './tag'

/** What `classify` hands on: the records, and for a piece of a batch what it was and how far it came. */
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

/** What was written, and where. */
interface Aggregated {
  batches: string[]
  /** Not `error` at the top: OpenWhisk would take that for a failed action. */
  records: { ok: number; error: number }
  /** The activation that goes on with the rest; where that is of a piece, the holder of the batch looks after it. */
  next?: string
}

const atOnce = 8

/**
 * Writes the records of one activation of `classify`: each as the newest of its image, all together as a part of the
 * batch. Dispatches what was left over, and sees to it that the batch is carried on. Repeating it changes nothing.
 */
export function aggregate(classified: Classified, context: Context): Promise<Aggregated> {
  const { batch = uploadsBatch(classified.images[0]?.at ?? isoOf(context.clock.now())) } = classified
  return logged({ batch }, async () => {
    const aggregated = await keep(classified, context)
    log.info({ ...aggregated.records, part: classified.part }, 'the records are written')
    return aggregated
  })
}

async function keep(classified: Classified, context: Context): Promise<Aggregated> {
  const began = context.clock.now()
  const { images, spent, batch, part } = classified
  // What follows the part cannot be told in it.
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
      await keepPart({ images: done, batch, part }, context, usage)
      await noteFailure(batch, part.by, failed.failure, context)
    }
    return { batches: batch === undefined ? [] : [batch], records: outcomesOf(done) }
  }
  const { batches, rest } = isPart
    ? await keepPart({ images, batch, part }, context, usage)
    : await keepArrival(classified, context, { at: began, usage })
  const { openwhisk, activation } = context
  const sequence = siblingAction(activation, 'classify-images')
  const next = rest && (await retrying(context, () => openwhisk.invoke(sequence, rest)))
  for (const id of batches) await (isPart ? seeToIt : seeToDay)(id, context)
  return { batches, records: outcomesOf(images), next }
}

/** The batches that records went to, and the message for what was left over. */
interface Kept {
  batches: string[]
  rest?: object
}

async function keepRecords(images: ImageRecord[], context: Context): Promise<void> {
  const limit = pLimit(atOnce)
  await Promise.all(images.map((record) => limit(() => keepRecord(context, record))))
}

async function keepPart(
  piece: { images: ImageRecord[]; batch: string; part: NonNullable<Classified['part']> },
  context: Context,
  usage: () => Usage | undefined,
): Promise<Kept> {
  const { results, activation } = context
  const { batch, part } = piece
  // First: a part is written once, and tells what became of the tags.
  const images = part.tag ? await tagImages(piece.images, context) : piece.images
  await keepRecords(images, context)
  if (images.length > 0) await writePart(results, batch, part.start, images, activation.id, usage())
  const { chunk, end, model, by, exif, tag } = part
  const rest: ChunkMessage = { batch, by, chunk, start: part.start + images.length, end, model, exif, tag }
  return { batches: [batch], rest: rest.start < end ? rest : undefined }
}

/** Has a batch carried on where its holder is gone, or may be: nothing else might come to tell of it. */
async function seeToIt(id: string, context: Context): Promise<void> {
  const document = openBatch(context, id)
  const batch = await document.read()
  if (!batch || isEnded(batch)) return
  if (needsHolder(batch, document.age())) await ensureAdvancing(context, id)
  else if ((await mayBeLast(batch, context)) && (await isFirstNudge(document)))
    await invokeAdvance(context, id)
}

/** Of many that end at once, one asks for another activation: it is only needed where the holder has just died. */
async function isFirstNudge(document: BatchDocument): Promise<boolean> {
  let isFirst = false
  await document.update((batch) => {
    isFirst = batch?.status === 'open' && !batch.lease.watched
    return isFirst && batch ? { ...batch, lease: { ...batch.lease, watched: true } } : undefined
  })
  return isFirst
}

/** Whether all of a batch has reported. */
async function mayBeLast({ batch, plan, dispatch }: Batch, { results }: Context): Promise<boolean> {
  if (!plan.done || dispatch.next < plan.planned || dispatch.pieces.length === 0) return false
  const parts: Range[] = []
  const from = Math.min(...dispatch.pieces.map(({ chunk }) => chunk.start))
  for await (const part of listParts(results, batch, from)) parts.push(part)
  return dispatch.pieces.every((piece) => gaps(piece, parts).length === 0)
}

/** Keeps what notifications told of, as uploads of their days. */
async function keepArrival(
  { images, rest = [] }: Classified,
  context: Context,
  { at, usage }: { at: number; usage: () => Usage | undefined },
): Promise<Kept> {
  const { results, activation } = context
  const days = [...new Set(images.map((record) => uploadsBatch(record.at)))].sort()
  for (const [index, day] of days.entries()) {
    // First: of a day without a document, an arrival would be in no results.
    await makeDay(day, context)
    const records = images.filter((record) => uploadsBatch(record.at) === day)
    const used = index === 0 ? usage() : undefined
    await writeArrival(results, day, records, { at, activationId: activation.id, usage: used })
  }
  // Last, for they count as done: should this die in between, the images are found missing, and classified again.
  await keepRecords(images, context)
  return { batches: days, rest: rest.length > 0 ? { images: rest } : undefined }
}

/** Makes sure that a day has a holder, which counts arrivals and looks through the buckets. A closed day begins another run. */
async function seeToDay(day: string, context: Context): Promise<void> {
  const document = openBatch(context, day)
  const batch = await document.read()
  if (batch && 'outcome' in batch) {
    await putEntry(context.results, day, batch.run + 1)
    const what = { request: batch.request, requestId: context.activation.id }
    await document.update((current) => current && fired(current, what))
  }
  if (!batch || needsHolder(batch, document.age()))
    await ensureAdvancing(context, day, { create: dayMaker(context, day), expects: true })
}
