import type { BatchSummary } from '../../schema'
import type { Plan } from '../plan/plan'
import { emptyTally, summarize } from './summary'

/** Images of a plan that have reported. */
export const reported = ({ next, outstanding }: Plan): number =>
  next - outstanding.reduce((sum, { start, end }) => sum + end - start, 0)

/** How an open batch stands, from the plan alone: its records are only read once, when it closes. */
export function progressOf(plan: Plan): BatchSummary {
  const { batch, modelVersion: model, listed, planned, skipped, startedAt, errors: error } = plan
  const { memory, gbSecondPrice } = plan
  return summarize(
    { ...emptyTally(), ok: reported(plan) - error, error },
    {
      batch,
      state: plan.done ? 'running' : 'planning',
      model,
      listed,
      planned,
      skipped,
      exact: false,
      startedAt,
      memory,
      gbSecondPrice,
    },
  )
}
