import { setTimeout as sleep } from 'node:timers/promises'
import { batchNotFound } from '../../batch/reports/results'
import { readSummary } from '../../batch/reports/summary-object'
import { type Batch, isEnded, readBatch } from '../../batch/state/batch'
import { isListedOpen } from '../../batch/state/open'
import { WhisklensError } from '../../errors'
import { type BatchSummary, isClosed } from '../../schema'
import type { Bucket } from '../../storage/store'

/** Progress of a batch or another long task. */
export interface Progress {
  done: number
  /** As far as known. */
  total: number
  /** Failed ones among `done`. */
  errors: number
  /** The part of `done` that earlier runs did. The progress bar shows this run only. */
  earlier?: number
  /** `total` still grows. */
  isGrowing?: boolean
  /** Activations at work. */
  running?: number
}

/** State of the batch id before it is fired: an earlier run may exist. */
export interface PriorRun {
  /** Number of the last run; 0 if there was none. */
  run: number
  isOpen: boolean
}

/** For a batch that was started before: there is no start to wait for. */
export const alreadyStarted: PriorRun = { run: 0, isOpen: true }

export interface FollowOptions {
  /** Called after every poll. */
  onProgress(summary: BatchSummary, batch?: Batch): unknown
  /** Resolves to the error of the action that runs the batch, once it has failed. */
  failure?(): Promise<WhisklensError | undefined>
  /** Timeout for the batch to start, milliseconds. */
  startsWithin?: number
  /** Timeout without progress, milliseconds. Longer than the interval after which lost chunks are sent again. */
  changesWithin?: number
  pollEvery?: number
  /** Ends the wait; the batch continues. */
  signal?: AbortSignal
}

/** Progress of a batch. `total` grows while the batch is planned or receives uploads. */
export const progressOf = ({ state, totals }: BatchSummary, batch?: Batch): Progress => ({
  done: totals.ok + totals.error,
  total: totals.planned,
  errors: totals.error,
  earlier: batch?.dispatch.before.reported ?? 0,
  isGrowing: state === 'planning' || (batch?.kind === 'uploads' && !isClosed(state)),
  running: isClosed(state) ? 0 : runningOf(batch),
})

/** Pieces dispatched to an activation that is not known to have ended. */
const runningOf = (batch: Batch | undefined): number =>
  batch?.dispatch.pieces.filter(({ at, ended }) => at > 0 && !ended).length ?? 0

/** Reads the last run of a batch before it is fired again, so that {@link followBatch} can distinguish the new run. */
export async function readPriorRun(results: Bucket, batch: string): Promise<PriorRun> {
  const found = await readBatch(results, batch)
  return { run: found?.run ?? 0, isOpen: found !== undefined && !isEnded(found) }
}

/** All in milliseconds. */
interface SummaryTimeouts {
  /** Timeout without any sign of the batch. */
  startsWithin?: number
  /** Total timeout. */
  atMost?: number
  pollEvery?: number
}

/**
 * Polls for the summary of a batch that may have just been fired, for as long as the index of open batches lists it.
 * @returns the summary; undefined after the timeout
 */
export async function pollForSummary(
  results: Bucket,
  batch: string,
  { startsWithin = 10_000, atMost = Number.POSITIVE_INFINITY, pollEvery = 500 }: SummaryTimeouts = {},
): Promise<BatchSummary | undefined> {
  const began = Date.now()
  let signAt = began
  for (;;) {
    // Read the index first: an entry is removed only after the summary was written.
    const isListed = await isListedOpen(results, batch)
    const summary = await readSummary(results, batch)
    if (summary) return summary
    const now = Date.now()
    if (isListed) signAt = now
    if (now - signAt >= startsWithin || now - began >= atMost) return undefined
    await sleep(pollEvery)
  }
}

/** Longer than most platforms take to start an action. */
const defaultTimeouts: SummaryTimeouts = { startsWithin: 5_000, atMost: 10_000 }

/**
 * Reads the summary of a batch; waits a few seconds if the batch may have just been fired.
 * @throws WhisklensError `batch_not_found`, or `batch_not_started` if it was fired but has not started
 */
export async function waitForSummary(
  results: Bucket,
  batch: string,
  limits: SummaryTimeouts & { onWait?: () => void } = {},
): Promise<BatchSummary> {
  const found = await readSummary(results, batch)
  if (found) return found
  limits.onWait?.()
  const summary = await pollForSummary(results, batch, { ...defaultTimeouts, ...limits })
  if (summary) return summary
  throw (await isListedOpen(results, batch)) ? notStartedYet(batch) : batchNotFound(batch)
}

const notStartedYet = (batch: string): WhisklensError =>
  new WhisklensError('batch_not_started', `The batch ${batch} was fired and has not started`, {
    retryable: true,
    hint: `Wait for it: whisklens watch ${batch}.`,
  })

/**
 * Polls a fired batch until it is closed.
 * @returns the final summary
 * @throws WhisklensError `batch_not_started`, `batch_stalled`, or the error of `start-batch`
 */
export async function followBatch(
  results: Bucket,
  batch: string,
  before: PriorRun,
  {
    onProgress,
    failure,
    startsWithin = 60_000,
    changesWithin = 15 * 60_000,
    pollEvery = 500,
    signal,
  }: FollowOptions,
): Promise<BatchSummary> {
  let started = before.isOpen
  let seen: string | undefined
  let changedAt = Date.now()
  for (; ; await sleep(pollEvery, undefined, { signal })) {
    // Check before reading the summary: the last chunk may close a batch whose start-batch failed.
    const failed = await failure?.()
    const { found, summary } = await readRunState(results, batch)
    started ||= hasStarted(before, found, summary)
    if (started && summary) {
      const text = JSON.stringify(summary)
      changedAt = text === seen ? changedAt : Date.now()
      seen = text
      await onProgress(summary, found)
      if (isClosed(summary.state)) return summary
    }
    const reason =
      failed ?? timeoutError(batch, Date.now() - changedAt, { started, startsWithin, changesWithin })
    if (reason) throw reason
  }
}

/** The timeout error, if one is due. @param silence milliseconds since the last change */
function timeoutError(
  batch: string,
  silence: number,
  limits: { started: boolean; startsWithin: number; changesWithin: number },
): WhisklensError | undefined {
  if (!limits.started && silence > limits.startsWithin) return notStarted(batch, limits.startsWithin)
  return silence > limits.changesWithin ? stalled(batch, limits.changesWithin) : undefined
}

const hasStarted = (before: PriorRun, found: Batch | undefined, summary: BatchSummary | undefined): boolean =>
  (found?.run ?? 0) > before.run || (summary !== undefined && !isClosed(summary.state))

/** Reads a batch and its summary; without the summary if that belongs to an earlier run. */
async function readRunState(results: Bucket, batch: string) {
  // Read the batch first: if it is announced as over, a summary read afterwards belongs to this run.
  const found = await readBatch(results, batch)
  const summary = await readSummary(results, batch)
  if (!found || !summary) return { found, summary }
  const isOver = isEnded(found) && found.announced && !found.queued
  return { found, summary: isOver === isClosed(summary.state) ? summary : undefined }
}

const notStarted = (batch: string, waited: number): WhisklensError =>
  new WhisklensError('batch_not_started', `The batch ${batch} did not start within ${waited / 1000} s`, {
    hint:
      'Check that the rule on-batch-requested is active (wsk rule list), that start-batch succeeds (wsk ' +
      'activation list) and that the actions use the same results bucket (whisklens doctor).',
  })

const stalled = (batch: string, waited: number): WhisklensError =>
  new WhisklensError(
    'batch_stalled',
    `The batch ${batch} has made no progress for ${waited / 60_000} minutes`,
    {
      hint: `Resume it: whisklens retry ${batch}.`,
    },
  )
