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
import { afterAnnouncement } from '../state/transitions'
import { deliver, storeMessage } from './webhook'

/**
 * Announces the end of a run: writes the final summary, fires `batch-completed` and delivers the webhook message. An
 * activation that dies in between is repeated by another. A queued run begins next.
 */
export async function publish(lease: Lease, context: Context): Promise<BatchSummary> {
  const { results } = context
  const batch = lease.batch() as EndedBatch
  const summary = await finalSummary(batch, context)
  await openSummary(results, batch.batch, lease.verify).write(summary)
  if (!batch.announced) {
    await storeMessage(summary, batch.run, context)
    await whileHeld(lease, context, fireCompleted(summary, context))
  }
  await lease.save((current) => (isEnded(current) ? afterAnnouncement(current) : undefined))
  try {
    await cleanUpRun(batch, batch.run, context)
  } finally {
    // Last: nothing but a queued run waits for the receiver.
    const delivered = deliver(batch.batch, batch.run, context)
    await (lease.batch().lease.holder === null ? delivered : whileHeld(lease, context, delivered))
  }
  return summary
}

/** Removes the internal objects of an ended run. */
export async function cleanUpRun(batch: Batch, run: number, context: Context): Promise<void> {
  await dropSegments(batch.batch, run, context)
  // After an early end the next run resumes with the list.
  if (batch.run === run && batch.status === 'complete' && batch.plan.list)
    await dropList(batch.batch, run, context.results)
  await deleteEntry(context.results, batch.batch, run)
}

async function fireCompleted(summary: BatchSummary, context: Context): Promise<void> {
  try {
    await retrying(context, () => context.openwhisk.fire('batch-completed', summary))
  } catch (thrown) {
    if (!(thrown instanceof OpenWhiskError) || thrown.retryable) throw thrown
    // Without the trigger, or the right to fire it, no retry can succeed; the batch closes all the same.
    log.warn({ batch: summary.batch, reason: thrown.message }, 'batch-completed could not be fired')
  }
}
