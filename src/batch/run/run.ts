import { setTimeout as sleep } from 'node:timers/promises'
import { BatchTakenOverError } from '../../errors'
import { log } from '../../log'
import { type BatchSummary, isClosed } from '../../schema'
import type { Bucket } from '../../storage/store'
import { listParts, readChunk, writePart } from '../chunk/parts'
import { unknownRecord } from '../chunk/record'
import { closeBatch } from '../close/close'
import type { Part } from '../layout'
import type { Outstanding, Plan } from '../plan/plan'
import { planAhead } from '../plan/planner'
import { progressOf } from '../summary/progress'
import { writeSummary } from '../summary/summary-object'
import { announce, ensureAnnounced, type Tell } from './announce'
import { type Dispatcher, dispatchReady, settle } from './dispatch'
import { whyEnd } from './ending'
import { markOpen } from './open'
import { markEnded, redispatchOverdue } from './redispatch'
import { closes } from './standing'
import { openWindow } from './window'

export interface RunContext extends Omit<Dispatcher, 'window'> {
  images: Bucket
  results: Bucket
  activationId: string
  /** The run stops in time to hand over, milliseconds since the epoch. */
  stopAt: number
  /** Called by the one who closes the batch. */
  onClosed: Tell
}

/** Between two looks at a batch, milliseconds; longer and longer while nothing happens. */
const firstPause = 250
const longestPause = 2_000

/**
 * Carries one batch on until it is closed or time is up: plans ahead, dispatches what the platform takes, looks for
 * what is reported, dispatches what is overdue again, and closes.
 * @returns the final summary, or undefined when the batch has to go on in another activation
 */
export async function runBatch(plan: Plan, context: RunContext): Promise<BatchSummary | undefined> {
  const { images, results, stopAt, save, renew } = context
  const dispatcher = { ...context, window: openWindow() }
  // First: planning may be what the activations before died of.
  plan.ended ??= await whyEnd(plan, results)
  const planner = planAhead(plan, images, results, renew)
  let pause = firstPause
  let progress = ''
  try {
    while (Date.now() < stopAt) {
      planner.check()
      if (!(await renew())) throw new BatchTakenOverError(plan.batch)
      plan.ended ??= await whyEnd(plan, results)
      if (!plan.ended) await takeTurn(plan, dispatcher, context)
      if (isOver(plan)) break
      await markEnded(plan, dispatcher)
      const summary = progressOf(plan)
      if (JSON.stringify(summary) === progress) pause = Math.min(pause * 1.5, longestPause)
      else {
        await writeSummary(results, summary, (current) => isStale(current, plan, results))
        progress = JSON.stringify(summary)
        pause = firstPause
      }
      // A small batch is planned in less than a pause, and all of it waits to be dispatched.
      await Promise.race([sleep(pause), ...(plan.done ? [] : [planner.finished])])
    }
  } finally {
    await planner.stop()
  }
  await save(plan)
  return isOver(plan) ? close(plan, context) : undefined
}

/** Whether nothing more is to be dispatched: all has reported, or the batch ends early. */
const isOver = ({ ended, done, next, planned, outstanding }: Plan): boolean =>
  ended !== undefined || (done && next >= planned && outstanding.length === 0)

/** Whether a summary may go: not that of somebody who was faster to close the batch, but that of an earlier pass. */
async function isStale(summary: BatchSummary, plan: Plan, results: Bucket): Promise<boolean> {
  if (!isClosed(summary.state)) return true
  if (await closes(results, summary, plan)) return false
  // Its late closer took the marker away, too.
  await markOpen(results, plan.batch)
  return true
}

async function takeTurn(plan: Plan, dispatcher: Dispatcher, context: RunContext): Promise<void> {
  const { results, save } = context
  // Saved before anything of it is dispatched: after a crash, positions must still mean the same images.
  const ready = plan.planned
  await save(plan)
  await dispatchReady(plan, ready, dispatcher)
  const parts = await partsOf(results, plan)
  settle(plan, parts, dispatcher.window)
  await giveUp(plan, await redispatchOverdue(plan, parts, dispatcher), context)
}

/** The parts from the oldest outstanding chunk on, of which a late report may be whole: older ones need no second look. */
async function partsOf(results: Bucket, plan: Plan): Promise<Part[]> {
  const parts: Part[] = []
  if (plan.outstanding.length === 0) return parts
  const from = Math.min(...plan.outstanding.map(({ chunk }) => chunk.start))
  for await (const part of listParts(results, plan.batch, from)) parts.push(part)
  return parts
}

async function giveUp(plan: Plan, lost: Outstanding[], { results, activationId }: RunContext): Promise<void> {
  for (const { chunk, start, attempts } of lost) {
    const image = (await readChunk(results, plan.batch, chunk))[start - chunk.start]
    if (!image) continue
    log.warn({ batch: plan.batch, key: image.key }, 'an image was lost')
    const record = unknownRecord(image, {
      model: plan.modelVersion,
      engine: 'none',
      activationId,
      at: new Date(),
    })
    record.error = {
      code: 'lost',
      message: 'Every activation that was given this image ended without a report',
      retryable: true,
      attempts,
    }
    await writePart(results, plan.batch, start, [record], activationId)
  }
}

/** Also where `aggregate` was faster: the bytes are the same then, and a summary of an earlier pass would be put right. */
async function close(plan: Plan, context: RunContext): Promise<BatchSummary | undefined> {
  const { results, stopAt, renew, onClosed } = context
  if (plan.ended) log.info({ batch: plan.batch, why: plan.ended }, 'the batch ends early')
  const closed = await closeBatch(results, plan, { stopAt, stillThere: renew })
  if (!closed) return undefined
  await (closed.first ? announce : ensureAnnounced)(results, closed.summary, onClosed)
  return closed.summary
}
