// The lease is released before the final summary is written.

import { dropSegments, finalSummary } from '../../../src/batch/closing/close'
import { openSummary } from '../../../src/batch/reports/summary-object'
import type { publish as original } from '../../../src/batch/running/publish'
import { deliver, storeMessage } from '../../../src/batch/running/webhook'
import { type EndedBatch, isEnded } from '../../../src/batch/state/batch'
import { deleteEntry } from '../../../src/batch/state/open'
import { afterAnnouncement } from '../../../src/batch/state/transitions'

export * from '../../../src/batch/running/publish'

export const publish: typeof original = async (lease, context) => {
  const { results } = context
  const batch = lease.batch() as EndedBatch
  const summary = await finalSummary(batch, context)
  await storeMessage(summary, batch.run, context)
  await lease.save((current) => (isEnded(current) ? afterAnnouncement(current) : undefined))
  await deleteEntry(results, batch.batch, batch.run)
  await openSummary(results, batch.batch, async () => {}).write(summary)
  await context.openwhisk.fire('batch-completed', summary)
  await dropSegments(batch.batch, batch.run, context)
  await deliver(batch.batch, batch.run, context)
  return summary
}
