import { BatchTakenOverError, messageOf, WhisklensError } from '../../errors'
import { log } from '../../log'
import type { BatchSummary } from '../../schema'
import type { Bucket } from '../../storage/store'
import type { Plan } from '../plan/plan'
import { progressOf } from '../summary/progress'
import { writeSummary } from '../summary/summary-object'
import { announce, type Tell } from './announce'

/** Whether no further activation would mend what a batch has failed with. */
export const isFinal = (thrown: unknown): thrown is WhisklensError =>
  thrown instanceof WhisklensError && !thrown.retryable && !(thrown instanceof BatchTakenOverError)

/** Ends a batch over a failure that is final; its summary says why. */
export async function stopFor(
  { message }: WhisklensError,
  plan: Plan,
  { results, save, tell }: { results: Bucket; save(plan: Plan): Promise<void>; tell: Tell },
): Promise<void> {
  plan.ended = 'stopped'
  await save(plan)
  // No records are read, which would tell when the last image was done.
  const endedAt = new Date().toISOString()
  const summary: BatchSummary = { ...progressOf(plan), state: 'stopped', endedAt, reason: message }
  await writeSummary(results, summary)
  // If that fails too, the marker stays, and somebody else will tell.
  await announce(results, summary, tell).catch((cause) =>
    log.warn({ batch: plan.batch, reason: messageOf(cause) }, 'the end of the batch is not told yet'),
  )
}
