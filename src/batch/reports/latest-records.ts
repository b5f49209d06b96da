import type { BatchSummary } from '../../schema'

const hasRecords = ({ totals: { ok, error } }: BatchSummary): boolean => ok + error > 0

/**
 * The batch that is shown unless one is named: the newest with records, else the newest. A batch that skipped all of its
 * images has none.
 * @param batches newest first
 */
export const latestRecords = (batches: BatchSummary[]): string | undefined =>
  (batches.find(hasRecords) ?? batches[0])?.batch
