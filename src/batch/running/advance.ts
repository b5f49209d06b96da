import { BatchTakenOverError, messageOf, WhisklensError } from '../../errors'
import { log, logged } from '../../log'
import type { BatchSummary } from '../../schema'
import { closeRun } from '../closing/close'
import { progressOf } from '../reports/progress'
import { openSummary, readSummary } from '../reports/summary-object'
import { acquire } from '../state/acquire'
import type { Batch, BatchModel, RequestedBatch } from '../state/batch'
import { type Advance, handOver } from '../state/hand-over'
import { type Lease, whileHeld } from '../state/lease'
import { putEntry } from '../state/open'
import type { Context } from '../state/platform'
import { beginClosing, opened, reported } from '../state/transitions'
import { dayCreator, ensureScanning, hasEnded, isUploads } from '../uploads/day'
import { hasMissed } from '../uploads/scan'
import { newestOf } from '../uploads/version'
import { advanceOpen } from './advance-open'
import { describeModel, modelName, withCosts } from './model'
import { publish } from './publish'
import { resume } from './reconcile'
import { handOverTime, retryLater } from './retry-later'

/**
 * Advances a batch until its end is announced, or time runs out and another activation takes over. Idempotent: does
 * nothing while another activation holds a live lease.
 * @param failed consecutive activations that failed without progress
 * @returns the summary when this activation ends; undefined when there is no such batch
 */
export const advance = (message: Advance, context: Context): Promise<BatchSummary | undefined> =>
  logged({ batch: message.advance }, () => acquireAndAdvance(message, context))

async function acquireAndAdvance(
  { advance: batch, failed = 0 }: Advance,
  context: Context,
): Promise<BatchSummary | undefined> {
  const { results } = context
  const create = isUploads(batch) ? dayCreator(context, batch) : undefined
  let lease: Lease | undefined
  let initialMark = ''
  try {
    lease = await acquire(context, batch, { create, isWorker: true })
    if (!lease) return await readSummary(results, batch)
    initialMark = progressMark(lease.batch())
    return await advanceHeld(lease, context)
  } catch (thrown) {
    // Another activation has taken over and will finish the batch.
    if (thrown instanceof BatchTakenOverError) return readSummary(results, batch)
    const hasMoved = lease !== undefined && progressMark(lease.batch()) !== initialMark
    await lease?.release().catch(() => {})
    await retryLater(thrown, { advance: batch, failed: hasMoved ? 0 : failed }, context)
    throw thrown
  }
}

/** Changes whenever a batch makes progress. */
const progressMark = (batch: Batch): string =>
  [batch.run, batch.status, batch.plan.cursor, batch.dispatch.next, reported(batch)].join(' ')

async function advanceHeld(lease: Lease, context: Context): Promise<BatchSummary> {
  const { results, activation, clock } = context
  const stopAt = activation.deadline - handOverTime
  const { batch, run: first } = lease.batch()
  await putEntry(results, batch, first)
  if (isUploads(batch)) await whileHeld(lease, context, resumeOthers(context))
  for (;;) {
    const isLate = clock.now() >= stopAt
    const before = lease.batch()
    const hasTime = !isLate && (await step(lease, context, stopAt))
    logChange(before, lease.batch())
    if (!hasTime) {
      await handOver(lease, context)
      // The arrivals of a day are counted only in its summary.
      return (isUploads(batch) && (await readSummary(results, batch))) || progressOf(lease.batch())
    }
    const now = lease.batch()
    if (now.lease.holder === null) return (await readSummary(results, batch)) ?? progressOf(now)
  }
}

/** Logs a change of run or status. */
function logChange(before: Batch, { run, status, plan, dispatch }: Batch): void {
  if (before.run === run && before.status === status) return
  const { listed, skipped } = plan
  const { errors, throttles } = dispatch
  log.info({ run, status, before: before.status, listed, skipped, errors, throttles }, 'the batch advanced')
}

/** Resumes orphaned batches: on a quiet system no other event would. On failure the next activation tries again. */
async function resumeOthers(context: Context): Promise<void> {
  await resume(context).catch((cause) =>
    log.warn({ reason: messageOf(cause) }, 'orphaned batches could not be resumed'),
  )
}

/** Performs one step according to the status. @returns false when time ran out */
async function step(lease: Lease, context: Context, stopAt: number): Promise<boolean> {
  const batch = lease.batch()
  switch (batch.status) {
    case 'requested':
      await open(batch, lease, context)
      return true
    case 'open':
      return stepOpen(lease, context, stopAt)
    case 'closing':
      return closeRun(lease, context, stopAt)
    default:
      await publish(lease, context)
      return true
  }
}

/**
 * How long a day waits for an arrival that names the model: calling `classify` may start another container.
 * Milliseconds.
 */
const arrivalTimeout = 15_000

/** The model of a day, from its classified images; undefined when there are none. */
async function modelOfArrivals(day: RequestedBatch, context: Context): Promise<BatchModel | undefined> {
  const { clock, settings } = context
  for (const end = clock.now() + arrivalTimeout; ; await clock.sleep(1_000)) {
    const { version: modelVersion } = await newestOf(day, context)
    if (modelVersion !== undefined) return withCosts(context, { model: settings.model, modelVersion })
    if (clock.now() >= end) return undefined
  }
}

async function modelOf(batch: RequestedBatch, context: Context) {
  const { kind, model, request } = batch
  const known = kind === 'uploads' && (model ?? (await modelOfArrivals(batch, context)))
  return known || describeModel(context, modelName(request, model))
}

/** Determines the model, which decides what is up to date. Stops a batch whose model cannot be loaded. */
async function open(batch: RequestedBatch, lease: Lease, context: Context): Promise<void> {
  try {
    const described = await whileHeld(lease, context, modelOf(batch, context))
    await lease.save((current) => (current.status === 'requested' ? opened(current, described) : undefined))
    await openSummary(context.results, batch.batch, lease.verify).write(progressOf(lease.batch()))
  } catch (thrown) {
    await stopOnFailure(thrown, lease)
  }
}

/** Stops a batch after a permanent failure. Fired again after the repair, it resumes. */
async function stopOnFailure(thrown: unknown, lease: Lease): Promise<void> {
  const isFinal =
    thrown instanceof WhisklensError && !thrown.retryable && !(thrown instanceof BatchTakenOverError)
  if (!isFinal || lease.batch().kind === 'uploads') throw thrown
  await lease.save((current) =>
    current.status === 'requested' || current.status === 'open'
      ? beginClosing(current, 'stopped', thrown.message)
      : undefined,
  )
}

async function stepOpen(lease: Lease, context: Context, stopAt: number): Promise<boolean> {
  try {
    if (needsNextDay(lease, context)) await whileHeld(lease, context, ensureScanning(context, true))
    const left = await advanceOpen(lease, context, stopAt)
    if (left === 'quiet' && lease.batch().status === 'open') await releaseDay(lease, context)
    return left !== 'late'
  } catch (thrown) {
    await stopOnFailure(thrown, lease)
    return true
  }
}

/** Whether uploads near midnight may be unclassified: scans of the next day find them. */
function needsNextDay(lease: Lease, { clock }: Context): boolean {
  const { kind, batch, lease: taken } = lease.batch()
  return kind === 'uploads' && taken.expects && hasEnded(batch, clock.now())
}

/** Releases the lease of a quiet day, unless there is more to do. */
async function releaseDay(lease: Lease, context: Context): Promise<void> {
  const hasMore = async (): Promise<boolean> => {
    const { batch, busyAt, lease: current } = lease.batch()
    const isNotified = current.expects && busyAt === 0
    if (!hasEnded(batch, context.clock.now())) return isNotified || hasMissed(lease, context)
    if (needsNextDay(lease, context)) await ensureScanning(context, true)
    return false
  }
  await lease.leave(() => whileHeld(lease, context, hasMore()))
}
