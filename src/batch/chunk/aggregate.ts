import pLimit from 'p-limit'
import * as z from 'zod'
import { BatchTakenOverError } from '../../errors'
import type { OpenWhisk } from '../../openwhisk/client'
import { type ImageRecord, imageRefSchema, rangeSchema, recordSchema } from '../../schema'
import type { Bucket, Store } from '../../storage/store'
import { closeBatch } from '../close/close'
import { onePage, openPlan } from '../plan/plan'
import { announce, type Tell } from '../run/announce'
import type { ChunkMessage } from '../run/dispatch'
import { stateOfLease } from '../run/lease'
import type { Usage } from '../summary/usage'
import { updateUploadsSummary } from '../uploads/count'
import { closeDaysBefore } from '../uploads/days-before'
import { writeUploadParts } from '../uploads/parts'
import { isReported, writePart } from './parts'
import { writeRecord } from './record'

/** What `classify` hands on: the records, and for a piece of a batch what it was and how far it came. */
export const classifiedSchema = z.object({
  images: z.array(recordSchema),
  /** Images of a list that there was no time for. */
  rest: z.array(imageRefSchema).optional(),
  batch: z.string().optional(),
  part: rangeSchema.extend({ chunk: rangeSchema, model: z.string() }).optional(),
  /** What it took. */
  spent: z.object({ ms: z.number().nonnegative(), container: z.string() }).optional(),
})
export type Classified = z.infer<typeof classifiedSchema>

export interface AggregateContext {
  store: Store
  results: Bucket
  openwhisk: OpenWhisk
  activationId: string
  /** Full name of the sequence, for what is left over. */
  sequence: string
  /** For the cost of uploads; a batch's own price is in its plan. */
  gbSecondPrice?: number
  /** Starts an activation that takes charge of a batch. */
  resume(batch: string): Promise<unknown>
  /** Starts an activation that has every batch carried on that needs it. */
  reconcile(): Promise<unknown>
  /** Called once the batch is closed. */
  onClosed: Tell
}

/** What was written, and where. */
export interface Aggregated {
  batches: string[]
  /** Not `error` at the top: OpenWhisk would take that for a failed action. */
  records: { ok: number; error: number }
  closed: boolean
  /** The activation that goes on with the rest of a piece: whoever is in charge of the batch looks after it. */
  next?: string
}

/**
 * Writes the records of one activation of `classify`: each as the newest of its image, all together as a part of the
 * batch. Dispatches what was left over and closes a small batch with its last part. Repeating it changes nothing.
 */
export async function aggregate(
  { images, rest = [], batch, part, spent }: Classified,
  context: AggregateContext,
): Promise<Aggregated> {
  const started = performance.now()
  // What follows the part, such as closing, cannot be told in it.
  const usage = (): Usage | undefined =>
    spent && {
      classifyMs: spent.ms,
      aggregateMs: performance.now() - started,
      container: spent.container,
    }
  const { store, results } = context
  const limit = pLimit(8)
  const writeRecords = () =>
    Promise.all(images.map((record) => limit(() => writeRecord(store, results, record))))
  const outcome = { records: countStatus(images), closed: false }
  if (batch === undefined || part === undefined) {
    // Nobody repeats a chunk of uploads. A poll looks at the newest records only, so these come last: should this die
    // in between, the images are classified again, and none is missing from all batches.
    const parts = await writeUploadParts(results, images, context.activationId, usage())
    await writeRecords()
    if (rest.length > 0) await context.openwhisk.invoke(context.sequence, { images: rest })
    for (const part of parts)
      if (await updateUploadsSummary(results, part, context.gbSecondPrice))
        await closeDaysBefore(results, part, context.reconcile)
    return { ...outcome, batches: parts.map(({ batch }) => batch) }
  }
  await writeRecords()
  await writePart(results, batch, part.start, images, context.activationId, usage())
  const start = part.start + images.length
  const { chunk, end, model } = part
  const message: ChunkMessage = { batch, chunk, start, end, model }
  const next = start < end ? await context.openwhisk.invoke(context.sequence, message) : undefined
  const closed = await closeIfLast(batch, context)
  // Whoever was in charge died: as long as anything of a batch reports, it finds somebody to carry it on.
  if (!closed && (await stateOfLease(results, batch)) === 'died') await context.resume(batch)
  return { ...outcome, batches: [batch], closed, next }
}

const countStatus = (images: ImageRecord[]) => ({
  ok: images.filter(({ status }) => status === 'ok').length,
  error: images.filter(({ status }) => status === 'error').length,
})

/** Large batches are closed by `start-batch`: listing all parts after each one would cost their square. */
async function closeIfLast(batch: string, { results, onClosed }: AggregateContext): Promise<boolean> {
  const { plan, isCurrent } = await openPlan(results, batch)
  if (!plan?.done || plan.ended || plan.planned > onePage || !(await isReported(results, plan))) return false
  try {
    const { summary, first } = await closeBatch(results, plan, { stillThere: isCurrent })
    if (first) await announce(results, summary, onClosed)
    return first
  } catch (thrown) {
    // Whoever has changed the plan is in charge, and sees the batch to its end.
    if (thrown instanceof BatchTakenOverError) return false
    throw thrown
  }
}
