import type { BatchSummary } from '../../schema'
import { deleteRuns } from '../records/run-objects'
import { summarize } from '../reports/summary'
import type { ClosingBatch, EndedBatch } from '../state/batch'
import { closingPrefix, resultsKey, resultsNames } from '../state/layout'
import type { Lease } from '../state/lease'
import type { Context } from '../state/platform'
import { ended, whileClosing } from '../state/transitions'
import { startOf } from '../uploads/day'
import { sortPortion } from '../uploads/sort'
import { joinFile } from './join'
import { readState, writeSegments } from './segments'

/**
 * Writes the results of a finished run: `results.jsonl`, `results.csv` and `errors.jsonl`. They follow only from what
 * was reported, so an interrupted closing resumes and writes the same bytes.
 * @param stopAt when to leave the rest to the next activation, milliseconds since the epoch
 * @returns false when time ran out
 */
export async function closeRun(lease: Lease, context: Context, stopAt: number): Promise<boolean> {
  const isLate = () => context.clock.now() >= stopAt
  const closing = () => lease.batch() as ClosingBatch
  if (closing().kind === 'uploads') {
    while (await sortPortion(lease, context, true)) if (isLate()) return false
  }
  if (closing().segments.length === 0) await pinPrevious(lease, context)
  if (!closing().finished && !(await writeSegments(lease, context, stopAt))) return false
  for (const name of resultsNames) {
    if (closing().joined.includes(name)) continue
    if (isLate()) return false
    await joinFile(lease, context, name)
    await lease.save(whileClosing((batch) => ({ ...batch, joined: [...batch.joined, name] })))
  }
  const { tally } = await readState(context, closing())
  await lease.save(whileClosing((batch) => ended(batch, usageBefore(batch, tally.usage))))
  return true
}

/** After an early end the next run reads this one again from its start, and counts its usage then. */
const usageBefore = (batch: ClosingBatch, counted: ClosingBatch['usage']): ClosingBatch['usage'] =>
  batch.outcome === 'complete' ? counted : batch.usage

/** Pins the previous run's results by etag. Merging them a second time changes nothing. */
async function pinPrevious(lease: Lease, { results }: Context): Promise<void> {
  const { batch, run } = lease.batch()
  const found = run === 1 ? undefined : await results.head(resultsKey(batch, 'results.jsonl'))
  const previous = found?.etag ?? null
  await lease.save(
    whileClosing((current) => (current.previous === previous ? undefined : { ...current, previous })),
  )
}

/** The summary of an ended run, from the counts of its segments. */
export async function finalSummary(batch: EndedBatch, context: Context): Promise<BatchSummary> {
  const { tally, position } = await readState(context, batch)
  const images = tally.ok + tally.error
  const isUploads = batch.kind === 'uploads'
  return summarize(tally, {
    batch: batch.batch,
    state: batch.outcome,
    model: isUploads ? undefined : batch.model?.modelVersion,
    listed: isUploads ? images : batch.plan.listed,
    // An image counts once, in however many runs it was classified; what an ended batch left undone stays pending.
    planned: isUploads ? images : images + batch.plan.planned - batch.plan.base - position.reported,
    skipped: batch.plan.skipped,
    exact: true,
    startedAt: isUploads ? (tally.first ?? startOf(batch.batch)) : batch.startedAt,
    reason: batch.reason,
    memory: batch.model?.memory,
    gbSecondPrice: batch.model?.gbSecondPrice,
    throttles: batch.dispatch.throttles,
  })
}

/** Removes the segments of runs whose completion has been announced. */
export const dropSegments = (batch: string, upTo: number, { results }: Context): Promise<void> =>
  deleteRuns(results, closingPrefix(batch), upTo)
