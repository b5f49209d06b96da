import { OpenWhiskError } from '../../errors'
import { log } from '../../log'
import type { BatchSummary } from '../../schema'
import { dropSegments, finalSummary } from '../closing/close'
import { dropList } from '../planning/list-sort'
import { openSummary } from '../reports/summary-object'
import { type Batch, type EndedBatch, isEnded } from '../state/batch'
import { type Lease, whileHeld } from '../state/lease'
import { deleteEntry } from '../state/open'
import { type Context, retrying } from '../state/platform'
import { announced } from '../state/transitions'
import { deliver, storeMessage } from './webhook'

/**
 * Makes the end of a run known: writes its final summary, fires `batch-completed` and tells the webhook. Where an
 * activation dies in between, another does it again. Begins the next run where one was fired meanwhile.
 */
export async function publish(lease: Lease, context: Context): Promise<BatchSummary> {
  const { results } = context
  const batch = lease.batch() as EndedBatch
  const summary = await finalSummary(batch, context)
  await openSummary(results, batch.batch, lease.verify).write(summary)
  if (!batch.announced) {
    await storeMessage(summary, batch.run, context)
    await whileHeld(lease, context, tell(summary, context))
  }
  await lease.save((current) => (isEnded(current) ? announced(current) : undefined))
  try {
    await dropTraces(batch, batch.run, context)
  } finally {
    // Last: nothing is to wait for a receiver but the next run, where one was fired meanwhile.
    const delivered = deliver(batch.batch, batch.run, context)
    await (lease.batch().lease.holder === null ? delivered : whileHeld(lease, context, delivered))
  }
  return summary
}

/** Removes what a run that has ended leaves behind beside its results. */
export async function dropTraces(batch: Batch, run: number, context: Context): Promise<void> {
  await dropSegments(batch.batch, run, context)
  // A run that ended early goes on with its list.
  if (batch.run === run && batch.status === 'complete' && batch.plan.list)
    await dropList(batch.batch, run, context.results)
  await deleteEntry(context.results, batch.batch, run)
}

async function tell(summary: BatchSummary, context: Context): Promise<void> {
  try {
    await retrying(context, () => context.openwhisk.fire('batch-completed', summary))
  } catch (thrown) {
    if (!(thrown instanceof OpenWhiskError) || thrown.retryable) throw thrown
    // Without the trigger, or the right to fire it, it will never be heard of, and the batch is closed all the same.
    log.warn({ batch: summary.batch, reason: thrown.message }, 'the end of the batch could not be told')
  }
}
