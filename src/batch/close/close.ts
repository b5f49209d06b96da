import { BatchTakenOverError } from '../../errors'
import type { BatchSummary } from '../../schema'
import type { Bucket } from '../../storage/store'
import type { Plan } from '../plan/plan'
import { reasonOf } from '../run/ending'
import { countUsage, summarize } from '../summary/summary'
import { writeSummary } from '../summary/summary-object'
import { openPasses, type PassesPosition, passesPositionSchema } from './passes'
import { type CloseOptions, type Source, writeResults } from './write-results'

export interface Closed {
  summary: BatchSummary
  /** Whether this call was the one that closed the batch. */
  first: boolean
}

/**
 * Writes what a finished batch leaves: `results.jsonl`, `results.csv`, `errors.jsonl` and, last, `summary.json`. All
 * of it follows from the plan and the parts, so that closing twice, two closers at once, and one that was interrupted
 * leave the same bytes.
 * @returns undefined when time was up: the next call with the same plan goes on
 * @throws BatchTakenOverError when `stillThere` says no
 */
export async function closeBatch(
  results: Bucket,
  plan: Plan,
  options?: CloseOptions & { stopAt?: undefined },
): Promise<Closed>
export async function closeBatch(
  results: Bucket,
  plan: Plan,
  options: CloseOptions,
): Promise<Closed | undefined>
export async function closeBatch(
  results: Bucket,
  plan: Plan,
  options: CloseOptions = {},
): Promise<Closed | undefined> {
  const written = await writeResults(results, sourceOf(results, plan), options)
  if (!written) return undefined
  // The files may have taken long, and a summary of an earlier pass would tell of an end that is none.
  if ((await options.stillThere?.()) === false) throw new BatchTakenOverError(plan.batch)
  const { tally, position } = written
  const summary = summarize(tally, {
    batch: plan.batch,
    state: plan.ended ?? 'complete',
    model: plan.modelVersion,
    listed: plan.listed,
    // An image counts once however many passes did it; what an ended batch has not done is still to come.
    planned: tally.ok + tally.error + plan.planned - position.reported,
    skipped: plan.skipped,
    exact: true,
    startedAt: plan.startedAt,
    reason: reasonOf(plan),
    memory: plan.memory,
    gbSecondPrice: plan.gbSecondPrice,
  })
  return { summary, first: await writeSummary(results, summary) }
}

/** What a plan's results are written from: all of it that decides what they hold, and its passes. */
const sourceOf = (results: Bucket, plan: Plan): Source<PassesPosition> => {
  const { batch, passes, planned, modelVersion, ended, resumed, swept } = plan
  return {
    batch,
    state: JSON.stringify({ passes, planned, modelVersion, ended, resumed, swept }),
    position: passesPositionSchema,
    open: (tally, from) =>
      openPasses(results, plan, { from, complete: !ended, onUsage: (usage) => countUsage(tally, usage) }),
  }
}
