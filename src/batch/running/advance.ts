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
import { closing, opened, reported } from '../state/transitions'
import { dayMaker, isPast, isUploads, watchNow } from '../uploads/day'
import { newestOf } from '../uploads/version'
import { findsMore } from '../uploads/watch'
import { describeModel, modelName, withCosts } from './model'
import { publish } from './publish'
import { resume } from './reconcile'
import { handOverTime, retryLater } from './retry-later'
import { run } from './run'

/**
 * Carries a batch on from wherever it stands, until it is announced, or time is up and another activation goes on.
 * Idempotent: where another activation holds the lease and lives, nothing happens.
 * @param failed activations in a row that failed without any progress
 * @returns the summary as it stands when this activation ends; undefined when there is no such batch
 */
export const advance = (message: Advance, context: Context): Promise<BatchSummary | undefined> =>
  logged({ batch: message.advance }, () => takeAndCarryOn(message, context))

async function takeAndCarryOn(
  { advance: batch, failed = 0 }: Advance,
  context: Context,
): Promise<BatchSummary | undefined> {
  const { results } = context
  const create = isUploads(batch) ? dayMaker(context, batch) : undefined
  let lease: Lease | undefined
  let stood = ''
  try {
    lease = await acquire(context, batch, { create, isWorker: true })
    if (!lease) return await readSummary(results, batch)
    stood = standingOf(lease.batch())
    return await carryOn(lease, context)
  } catch (thrown) {
    // Another activation holds the lease: it carries the batch to its end.
    if (thrown instanceof BatchTakenOverError) return readSummary(results, batch)
    const hasMoved = lease !== undefined && standingOf(lease.batch()) !== stood
    await lease?.release().catch(() => {})
    await retryLater(thrown, { advance: batch, failed: hasMoved ? 0 : failed }, context)
    throw thrown
  }
}

/** Differs once a batch came further. */
const standingOf = (batch: Batch): string =>
  [batch.run, batch.status, batch.plan.cursor, batch.dispatch.next, reported(batch)].join(' ')

async function carryOn(lease: Lease, context: Context): Promise<BatchSummary> {
  const { results, activation, clock } = context
  const stopAt = activation.deadline - handOverTime
  const { batch, run: first } = lease.batch()
  await putEntry(results, batch, first)
  if (isUploads(batch)) await whileHeld(lease, context, resumeOthers(context))
  for (;;) {
    const isLate = clock.now() >= stopAt
    const before = lease.batch()
    const hasTime = !isLate && (await step(lease, context, stopAt))
    tell(before, lease.batch())
    if (!hasTime) {
      await handOver(lease, context)
      // What arrived of a day is counted in its summary only.
      return (isUploads(batch) && (await readSummary(results, batch))) || progressOf(lease.batch())
    }
    const now = lease.batch()
    if (now.lease.holder === null) return (await readSummary(results, batch)) ?? progressOf(now)
  }
}

/** Writes what a step has made of a batch to the log. */
function tell(before: Batch, { run, status, plan, dispatch }: Batch): void {
  if (before.run === run && before.status === status) return
  const { listed, skipped } = plan
  const { errors, throttles } = dispatch
  log.info(
    { run, status, before: before.status, listed, skipped, errors, throttles },
    'the batch came further',
  )
}

/** Carries on what other activations have left: no event may follow that would. Where there is no room, the next one tries. */
async function resumeOthers(context: Context): Promise<void> {
  await resume(context).catch((cause) =>
    log.warn({ reason: messageOf(cause) }, 'what other activations have left waits'),
  )
}

/** One step of a batch, by its status. @returns false when time was up */
async function step(lease: Lease, context: Context, stopAt: number): Promise<boolean> {
  const batch = lease.batch()
  switch (batch.status) {
    case 'requested':
      await open(batch, lease, context)
      return true
    case 'open':
      return runOpen(lease, context, stopAt)
    case 'closing':
      return closeRun(lease, context, stopAt)
    default:
      await publish(lease, context)
      return true
  }
}

/** How long a day of uploads waits for an arrival that tells the model: asking for it may start another container. */
const arrivalsWithin = 15_000

/** The model of a day of uploads, by what was classified of it; undefined where nothing was. */
async function modelOfArrivals(day: RequestedBatch, context: Context): Promise<BatchModel | undefined> {
  const { clock, settings } = context
  for (const end = clock.now() + arrivalsWithin; ; await clock.sleep(1_000)) {
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

/** Asks for the model, by which images count as done. A batch whose model cannot be loaded is stopped. */
async function open(batch: RequestedBatch, lease: Lease, context: Context): Promise<void> {
  try {
    const described = await whileHeld(lease, context, modelOf(batch, context))
    await lease.save((current) => (current.status === 'requested' ? opened(current, described) : undefined))
    await openSummary(context.results, batch.batch, lease.verify).write(progressOf(lease.batch()))
  } catch (thrown) {
    await stopFor(thrown, lease)
  }
}

/** Ends a batch over a failure that no further activation would mend; fired again after the repair, it goes on. */
async function stopFor(thrown: unknown, lease: Lease): Promise<void> {
  const isFinal =
    thrown instanceof WhisklensError && !thrown.retryable && !(thrown instanceof BatchTakenOverError)
  if (!isFinal || lease.batch().kind === 'uploads') throw thrown
  await lease.save((current) =>
    current.status === 'requested' || current.status === 'open'
      ? closing(current, 'stopped', thrown.message)
      : undefined,
  )
}

async function runOpen(lease: Lease, context: Context, stopAt: number): Promise<boolean> {
  try {
    if (goesOnTomorrow(lease, context)) await whileHeld(lease, context, watchNow(context, true))
    const left = await run(lease, context, stopAt)
    if (left === 'quiet' && lease.batch().status === 'open') await leaveDay(lease, context)
    return left !== 'late'
  } catch (thrown) {
    await stopFor(thrown, lease)
    return true
  }
}

/** Whether uploads of a day may be left that its looks have not found: they are the next day's. */
function goesOnTomorrow(lease: Lease, { clock }: Context): boolean {
  const { kind, batch, lease: taken } = lease.batch()
  return kind === 'uploads' && taken.expects && isPast(batch, clock.now())
}

/** Lets go of a day that is quiet, unless there is more to do. */
async function leaveDay(lease: Lease, context: Context): Promise<void> {
  const look = async (): Promise<boolean> => {
    const { batch, busyAt, lease: current } = lease.batch()
    const hasHeard = current.expects && busyAt === 0
    if (!isPast(batch, context.clock.now())) return hasHeard || findsMore(lease, context)
    if (goesOnTomorrow(lease, context)) await watchNow(context, true)
    return false
  }
  await lease.leave(() => whileHeld(lease, context, look()))
}
