import { setTimeout as sleep } from 'node:timers/promises'
import { type Plan, readPlan } from '../batch/plan/plan'
import { isMarked } from '../batch/run/open'
import { readSummary } from '../batch/summary/summary-object'
import { WhisklensError } from '../errors'
import { type BatchSummary, isClosed } from '../schema'
import type { Bucket } from '../storage/store'
import type { Headway } from './progress'

/** What is known of a batch before it is fired: one of the same id may have been done before. */
export interface Before {
  passes: number
  isOpen: boolean
  /** It was cancelled or stopped, and goes on in the same pass. */
  hasEnded: boolean
}

/** Before a batch that is open already, or is closed by now: there is no beginning to wait for. */
export const begun: Before = { passes: 0, isOpen: true, hasEnded: false }

export interface FollowOptions {
  /** Called at every look; the uploads of a day have no plan. */
  onProgress(summary: BatchSummary, plan?: Plan): unknown
  /** Tells the error of the action in charge, once it has failed. */
  failure?(): Promise<WhisklensError | undefined>
  /** Milliseconds until it has to have begun. */
  startsWithin?: number
  /** Milliseconds without any change after which it is given up: longer than lost chunks take to be sent again. */
  changesWithin?: number
  pollEvery?: number
}

/** How far a batch has come. While it is planned, or its uploads still come in, there will be more of it. */
export const headwayOf = ({ state, totals }: BatchSummary, plan?: Plan): Headway => ({
  done: totals.ok + totals.error,
  total: totals.planned,
  errors: totals.error,
  earlier: Math.max(plan?.passes.at(-1) ?? 0, plan?.before?.reported ?? 0),
  isGrowing: state === 'planning' || (plan === undefined && !isClosed(state)),
  running: isClosed(state) ? 0 : runningOf(plan),
})

/** Pieces that were given to an activation which, as far as is known, has not ended. */
const runningOf = (plan: Plan | undefined): number =>
  plan?.outstanding.filter(({ at, ended }) => at > 0 && !ended).length ?? 0

/**
 * Whether a summary is not of the run that the plan is about: a batch that is fired again has its new plan a moment
 * before its new summary. Only what has ended early is closed before all of it is planned, and then its plan says so.
 */
const isOutdated = ({ state }: BatchSummary, plan: Plan | undefined): boolean =>
  plan !== undefined && isClosed(state) && !plan.ended && !(plan.done && state === 'complete')

/** Looks at a batch before it is fired, for {@link followBatch} to tell the run that follows from earlier ones. */
export async function lookBefore(results: Bucket, batch: string): Promise<Before> {
  const plan = await readPlan(results, batch)
  const summary = await readSummary(results, batch)
  const { length: passes } = plan?.passes ?? []
  return {
    passes,
    hasEnded: plan?.ended !== undefined,
    isOpen: summary !== undefined && !isClosed(summary.state),
  }
}

/**
 * Waits for a batch that may have been fired just now: until it has a summary, and as long as its marker tells that
 * somebody is about to begin it.
 * @param startsWithin milliseconds for the action to start in, of which there is no sign yet
 * @returns whether there is one
 */
export async function awaitBeginning(
  results: Bucket,
  batch: string,
  { startsWithin = 10_000, pollEvery = 500 } = {},
): Promise<boolean> {
  let signAt = Date.now()
  for (;;) {
    // The marker first: it goes when a batch is closed, which leaves its summary.
    const marked = await isMarked(results, batch)
    if (await readSummary(results, batch)) return true
    if (marked) signAt = Date.now()
    else if (Date.now() - signAt >= startsWithin) return false
    await sleep(pollEvery)
  }
}

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
  let seen = ''
  let changedAt = Date.now()
  for (;;) {
    // Before the summary is read: a batch may be closed by its last chunk though start-batch was ended.
    const failed = await failure?.()
    // The plan first: where that says done or ended, the summary read after it is of the same run.
    const plan = await readPlan(results, batch)
    started ||= (plan?.passes.length ?? 0) > before.passes || (before.hasEnded && plan?.ended === undefined)
    const summary = await readSummary(results, batch)
    started ||= summary !== undefined && !isClosed(summary.state)
    if (started && summary && !isOutdated(summary, plan)) {
      const text = JSON.stringify(summary)
      if (text !== seen) changedAt = Date.now()
      seen = text
      await onProgress(summary, plan)
      if (isClosed(summary.state)) return summary
    }
    if (failed) throw failed
    const silence = Date.now() - changedAt
    if (!started && silence > startsWithin) throw notStarted(batch, startsWithin)
    if (silence > changesWithin) throw stalled(batch, changesWithin)
    await sleep(pollEvery)
  }
}

const notStarted = (batch: string, waited: number): WhisklensError =>
  new WhisklensError('batch_not_started', `The batch ${batch} did not begin within ${waited / 1000} s`, {
    hint:
      'Is the rule on-batch-requested active (wsk rule list), and does start-batch fail (wsk activation list, wsk ' +
      'activation logs)? Do the actions use the same results bucket?',
  })

const stalled = (batch: string, waited: number): WhisklensError =>
  new WhisklensError('batch_stalled', `The batch ${batch} has not moved for ${waited / 60_000} minutes`, {
    hint: `Fire it again with --batch ${batch}: only what is missing is done.`,
  })
