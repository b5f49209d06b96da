import pLimit from 'p-limit'
import { type LabelView, modelsLabels } from '../../labels/view'
import type { BatchSummary } from '../../schema'
import type { Bucket } from '../../storage/store'
import { listBatches } from './results'
import { readSummary } from './summary-object'

/** Labels per batch in a list: all labels of fifty batches would not fit into one response. */
const labelsInList = 5

/** Batches read at most whose ids have no date. */
const maxUndated = 1000

/** Most ids contain their date, such as `20261122-073000-a1b2c3` and `uploads-2026-11-22`. It sorts as text. */
function dateOf(batch: string): string | undefined {
  const match = /(\d{4})-?([01]\d)-?([0-3]\d)(?!\d)(?:-(\d{6}))?/.exec(batch)
  // A day without a time counts until its end.
  return match ? `${match[1]}${match[2]}${match[3]}${match[4] ?? '999999'}` : undefined
}

/** The newest ids by date, and those without a date. */
export function newestIds(batches: string[], limit: number): string[] {
  const dated = batches.flatMap((batch) => {
    const date = dateOf(batch)
    return date === undefined ? [] : [{ batch, date }]
  })
  dated.sort((a, b) => (a.date < b.date ? 1 : -1))
  const undated = batches.filter((batch) => dateOf(batch) === undefined)
  return [...dated.slice(0, limit).map(({ batch }) => batch), ...undated.slice(-maxUndated)]
}

/** The summaries of the newest batches, newest first, with their most frequent labels only. */
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
