import { setTimeout as sleep } from 'node:timers/promises'
import { batchNotFound } from '../../batch/reports/results'
import { readSummary } from '../../batch/reports/summary-object'
import { type Batch, isEnded, readBatch } from '../../batch/state/batch'
import { isListedOpen } from '../../batch/state/open'
import { WhisklensError } from '../../errors'
import { type BatchSummary, isClosed } from '../../schema'
import type { Bucket } from '../../storage/store'
import { note, type OutputOptions } from './output'
import type { Headway } from './progress'

/** What is known of a batch before it is fired: one of the same id may have been done before. */
export interface Before {
  /** The number of its last run; 0 where there is none. */
  run: number
  isOpen: boolean
}

/** Before a batch that is open already, or is closed by now: there is no beginning to wait for. */
export const begun: Before = { run: 0, isOpen: true }

export interface FollowOptions {
  /** Called at every look. */
  onProgress(summary: BatchSummary, batch?: Batch): unknown
  /** The error of the action that runs the batch, once it has failed. */
  failure?(): Promise<WhisklensError | undefined>
  /** Milliseconds until it has to have begun. */
  startsWithin?: number
  /** Milliseconds without any change after which it is given up: longer than lost chunks take to be sent again. */
  changesWithin?: number
  pollEvery?: number
}

/** How far a batch has come. While it is planned, or its uploads still come in, there will be more of it. */
export const headwayOf = ({ state, totals }: BatchSummary, batch?: Batch): Headway => ({
  done: totals.ok + totals.error,
  total: totals.planned,
  errors: totals.error,
  earlier: batch?.dispatch.before.reported ?? 0,
  isGrowing: state === 'planning' || (batch?.kind === 'uploads' && !isClosed(state)),
  running: isClosed(state) ? 0 : runningOf(batch),
})

/** Pieces that were given to an activation which, as far as is known, has not ended. */
const runningOf = (batch: Batch | undefined): number =>
  batch?.dispatch.pieces.filter(({ at, ended }) => at > 0 && !ended).length ?? 0

/** Looks at a batch before it is fired, for {@link followBatch} to tell the run that follows from earlier ones. */
export async function lookBefore(results: Bucket, batch: string): Promise<Before> {
  const found = await readBatch(results, batch)
  return { run: found?.run ?? 0, isOpen: found !== undefined && !isEnded(found) }
}

/** All in milliseconds. */
interface BeginningLimits {
  /** For the action to start in, of which there is no sign yet. */
  startsWithin?: number
  /** In all. */
  atMost?: number
  pollEvery?: number
}

/**
 * Waits for a batch that may have been fired just now: until it has a summary, and as long as its entry tells that
 * it is about to begin.
 * @returns its summary, if there is one
 */
export async function awaitBeginning(
  results: Bucket,
  batch: string,
  { startsWithin = 10_000, atMost = Number.POSITIVE_INFINITY, pollEvery = 500 }: BeginningLimits = {},
): Promise<BatchSummary | undefined> {
  const began = Date.now()
  let signAt = began
  for (;;) {
    // The entry first: it goes when the end of a batch is announced, which leaves its summary.
    const isListed = await isListedOpen(results, batch)
    const summary = await readSummary(results, batch)
    if (summary) return summary
    const now = Date.now()
    if (isListed) signAt = now
    if (now - signAt >= startsWithin || now - began >= atMost) return undefined
    await sleep(pollEvery)
  }
}

/**
 * The summary of a batch that may have been fired just now, for which it waits a moment.
 * @throws WhisklensError `batch_not_found`, or `batch_not_started` where it was fired and does not begin
 */
export async function soonBegun(
  results: Bucket,
  batch: string,
  options: OutputOptions,
  limits: BeginningLimits = { startsWithin: 5_000, atMost: 10_000 },
): Promise<BatchSummary> {
  const found = await readSummary(results, batch)
  if (found) return found
  note(`Waiting for the batch ${batch} to begin`, options)
  const summary = await awaitBeginning(results, batch, limits)
  if (summary) return summary
  throw (await isListedOpen(results, batch)) ? notBegun(batch) : batchNotFound(batch)
}

const notBegun = (batch: string): WhisklensError =>
  new WhisklensError('batch_not_started', `The batch ${batch} was fired and has not begun`, {
    retryable: true,
    hint: `Wait for it: whisklens watch ${batch}.`,
  })

/**
 * Waits for a batch that was fired, reading its summary again and again.
 * @returns the final summary
 * @throws WhisklensError `batch_not_started`, `batch_stalled`, or what start-batch failed with
 */
export async function followBatch(
  results: Bucket,
  batch: string,
  before: Before,
  { onProgress, failure, startsWithin = 60_000, changesWithin = 15 * 60_000, pollEvery = 500 }: FollowOptions,
): Promise<BatchSummary> {
  let started = before.isOpen
  let seen: string | undefined
  let changedAt = Date.now()
  for (; ; await sleep(pollEvery)) {
    // Before the summary is read: a batch may be closed by its last chunk though start-batch was ended.
    const failed = await failure?.()
    const { found, summary } = await readStanding(results, batch)
    started ||= hasStarted(before, found, summary)
    if (started && summary) {
      const text = JSON.stringify(summary)
      changedAt = text === seen ? changedAt : Date.now()
      seen = text
      await onProgress(summary, found)
      if (isClosed(summary.state)) return summary
    }
    const reason =
      failed ?? whyGivenUp(batch, Date.now() - changedAt, { started, startsWithin, changesWithin })
    if (reason) throw reason
  }
}

/** The error of a batch of which nothing new was seen for too long. @param silence milliseconds */
function whyGivenUp(
  batch: string,
  silence: number,
  limits: { started: boolean; startsWithin: number; changesWithin: number },
): WhisklensError | undefined {
  if (!limits.started && silence > limits.startsWithin) return notStarted(batch, limits.startsWithin)
  return silence > limits.changesWithin ? stalled(batch, limits.changesWithin) : undefined
}

const hasStarted = (before: Before, found: Batch | undefined, summary: BatchSummary | undefined): boolean =>
  (found?.run ?? 0) > before.run || (summary !== undefined && !isClosed(summary.state))

/** A batch with its summary, where that is of the run that the batch is in. */
async function readStanding(results: Bucket, batch: string) {
  // The batch first: where that says that its end is announced, the summary read after it is that of this run.
  const found = await readBatch(results, batch)
  const summary = await readSummary(results, batch)
  if (!found || !summary) return { found, summary }
  const isOver = isEnded(found) && found.announced && !found.queued
  return { found, summary: isOver === isClosed(summary.state) ? summary : undefined }
}

const notStarted = (batch: string, waited: number): WhisklensError =>
  new WhisklensError('batch_not_started', `The batch ${batch} did not begin within ${waited / 1000} s`, {
    hint:
      'Check that the rule on-batch-requested is active (wsk rule list), that start-batch does not fail (wsk ' +
      'activation list) and that the actions use the same results bucket (whisklens doctor).',
  })

const stalled = (batch: string, waited: number): WhisklensError =>
  new WhisklensError(
    'batch_stalled',
    `The batch ${batch} has made no progress for ${waited / 60_000} minutes`,
    {
      hint: `Go on with it: whisklens retry ${batch}.`,
    },
  )
