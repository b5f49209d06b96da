import { setTimeout as sleep } from 'node:timers/promises'
import { OpenWhiskError } from '../../errors'
import { log } from '../../log'
import type { BatchSummary } from '../../schema'
import type { Bucket } from '../../storage/store'
import { isMarked, markClosed } from './open'

/** Tells of the end of a batch: fires `batch-completed`. */
export type Tell = (summary: BatchSummary) => Promise<unknown>

/**
 * Tells of a batch that this activation closed, and takes its marker away only then: where it dies in between, whoever
 * finds a closed batch with a marker tells of it once more.
 */
export async function announce(results: Bucket, summary: BatchSummary, tell: Tell): Promise<void> {
  try {
    await tell(summary)
  } catch (thrown) {
    if (!(thrown instanceof OpenWhiskError) || thrown.retryable) throw thrown
    // Without the trigger, or the right to fire it, nobody will ever hear of it, and the batch is closed all the same.
    log.warn({ batch: summary.batch, reason: thrown.message }, 'the end of the batch could not be told')
  }
  await markClosed(results, summary.batch)
}

/** How long whoever closed a batch may take to tell of it before somebody else does, milliseconds. */
const patience = 10_000

/** Sees to it that somebody tells of a batch that another activation has closed. */
export async function ensureAnnounced(results: Bucket, summary: BatchSummary, tell: Tell): Promise<void> {
  for (
    const end = Date.now() + patience;
    await isMarked(results, summary.batch);
    await sleep(patience / 40)
  ) {
    if (Date.now() >= end) return announce(results, summary, tell)
  }
}
