import pLimit from 'p-limit'
import { type LabelView, modelsLabels } from '../../labels/view'
import type { BatchSummary } from '../../schema'
import type { Bucket } from '../../storage/store'
import { listBatches } from './results'
import { readSummary } from './summary-object'

/** A list shows the most frequent labels; all of them, of fifty batches, would not fit into one answer. */
const labelsInList = 5

/** Of batches whose ids say nothing of their age, so many are looked at. */
const maxUndated = 1000

/** Most ids hold their date, as `20261122-073000-a1b2c3` and `uploads-2026-11-22` do; it sorts as text. */
function dateOf(batch: string): string | undefined {
  const match = /(\d{4})-?([01]\d)-?([0-3]\d)(?!\d)(?:-(\d{6}))?/.exec(batch)
  // A day without a time lasts until its end.
  return match ? `${match[1]}${match[2]}${match[3]}${match[4] ?? '999999'}` : undefined
}

/** The newest of a list of ids by their dates, and those without any. */
export function newestIds(batches: string[], limit: number): string[] {
  const dated = batches.flatMap((batch) => {
    const date = dateOf(batch)
    return date === undefined ? [] : [{ batch, date }]
  })
  dated.sort((a, b) => (a.date < b.date ? 1 : -1))
  const undated = batches.filter((batch) => dateOf(batch) === undefined)
  return [...dated.slice(0, limit).map(({ batch }) => batch), ...undated.slice(-maxUndated)]
}

/** The summaries of the newest batches, newest first; their rarer labels are left out. */
export async function newestBatches(
  results: Bucket,
  limit = 50,
  view: LabelView = modelsLabels,
): Promise<BatchSummary[]> {
  const batches: string[] = []
  for await (const batch of listBatches(results)) batches.push(batch)
  const atOnce = pLimit(16)
  const read = await Promise.all(
    newestIds(batches, limit).map((batch) => atOnce(() => readSummary(results, batch))),
  )
  return read
    .filter((summary) => summary !== undefined)
    .sort((a, b) => (a.startedAt < b.startedAt ? 1 : -1))
    .slice(0, limit)
    .map((summary) => ({ ...summary, labels: view.counts(summary.labels).slice(0, labelsInList) }))
}
