import type { BatchSummary } from '../schema'
import { columns } from './columns'
import { percent, printable } from './output'

const labelsShown = 10

/** How a batch stands, for people. */
export function describeSummary(summary: BatchSummary): string {
  const { batch, state, model, engine, totals, labels, errors, timings, startedAt, endedAt } = summary
  const { p50, p95 } = timings
  const classified = labels.reduce((sum, { count }) => sum + count, 0)
  const lines: [string, string][] = [
    ['batch', batch],
    ['state', state],
    ['model', `${model ?? '?'} on ${engine ?? '?'}`],
    [
      'images',
      `${totals.planned} planned of ${totals.listed} listed, ${totals.skipped} unchanged and skipped`,
    ],
    ['done', `${totals.ok} ok, ${totals.error} in error, ${totals.pending} pending`],
    ['time', `${startedAt} – ${endedAt ?? '…'}${endedAt ? ` (${seconds(startedAt, endedAt)} s)` : ''}`],
    ['per image', `median ${stages(p50)}; 95 % under ${stages(p95)}`],
  ]
  const errorRows = Object.entries(errors).map(([code, count]) => [code, count])
  const labelRows = labels
    .slice(0, labelsShown)
    .map(({ label, count }) => [printable(label), count, percent(count / classified)])
  const more = labels.length > labelsShown ? `… and ${labels.length - labelsShown} more\n` : ''
  return [
    columns(lines),
    ...(errorRows.length > 0 ? [`\nerrors\n${columns(errorRows)}`] : []),
    ...(labelRows.length > 0 ? [`\nlabels\n${columns(labelRows)}${more}`] : []),
  ].join('')
}

const seconds = (from: string, to: string): string => ((Date.parse(to) - Date.parse(from)) / 1000).toFixed(1)

const stages = ({ download, decode, infer }: BatchSummary['timings']['p50']): string =>
  `download ${download} ms, decode ${decode} ms, inference ${infer} ms`
