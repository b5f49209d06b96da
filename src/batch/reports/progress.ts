import type { BatchSummary } from '../../schema'
import type { Batch } from '../state/batch'
import { reported } from '../state/transitions'
import { startOf } from '../uploads/day'
import { emptyTally, summarize } from './summary'

/**
 * The progress of an open batch, from its document alone: records are read only once, when it closes.
 * @param unsorted counts of an open day's unsorted arrivals
 */
export function progressOf(batch: Batch, unsorted = { ok: 0, error: 0 }): BatchSummary {
  const { plan, dispatch, sorted, model, status } = batch
  const error = dispatch.errors + sorted.error + unsorted.error
  const arrived = sorted.ok + sorted.error + unsorted.ok + unsorted.error
  const isUploads = batch.kind === 'uploads'
  const isPlanning = status === 'requested' || (status === 'open' && !plan.done && !isUploads)
  return summarize(
    { ...emptyTally(), ok: reported(batch) + arrived - error, error },
    {
      batch: batch.batch,
      state: isPlanning ? 'planning' : 'running',
      model: model?.modelVersion,
      listed: plan.listed + arrived,
      planned: plan.planned + arrived,
      skipped: plan.skipped,
      exact: false,
      startedAt: isUploads ? startOf(batch.batch) : batch.startedAt,
      memory: model?.memory,
      gbSecondPrice: model?.gbSecondPrice,
      throttles: dispatch.throttles,
    },
  )
}
