import type { BatchSummary } from '../../schema'
import { columns } from './columns'
import { percent, plural, printable } from './output'

const labelsShown = 10

/** Formats a summary as text. @param progress of an open batch */
export function describeSummary(summary: BatchSummary, progress = ''): string {
  const { batch, state, reason = '', totals, labels, errors } = summary
  const classified = labels.reduce((sum, { count }) => sum + count, 0)
  const lines: [string, string][] = [
    ['batch', batch],
    ['state', state],
    ['reason', printable(reason)],
    ['model', modelOf(summary)],
    ['images', imagesOf(summary)],
    ['done', `${totals.ok} ok, ${totals.error} in error, ${totals.pending} pending`],
    ['tags', taggedOf(summary)],
    ['progress', progress],
    ['time', timeOf(summary)],
    ['per image', timingsOf(summary)],
    ['throughput', throughputOf(summary)],
    ['cost', costOf(summary)],
  ]
  const errorRows = Object.entries(errors).map(([code, count]) => [code, count])
  const labelRows = labels
    .slice(0, labelsShown)
    .map(({ label, count }) => [printable(label), count, percent(count / classified)])
  const more = labels.length > labelsShown ? `… and ${labels.length - labelsShown} more\n` : ''
  return [
    // Unknown values are left out.
    columns(lines.filter(([, text]) => text !== '')),
    ...(errorRows.length > 0 ? [`\nerrors\n${columns(errorRows)}`] : []),
    ...(labelRows.length > 0 ? [`\nlabels\n${columns(labelRows)}${more}`] : []),
  ].join('')
}

/** Three significant digits below 100, else two decimals. */
export const figure = (value: number): string =>
  value.toLocaleString('en', value < 100 ? { maximumSignificantDigits: 3 } : { maximumFractionDigits: 2 })

/** A further run skips its own earlier results, which are counted in `planned`. */
const skipsOwn = ({ totals: { listed, planned, skipped } }: BatchSummary): boolean =>
  planned + skipped > listed

/** Whether a batch skipped images that an earlier batch, or an upload, has recorded. */
export const skipsUnchanged = (summary: BatchSummary): boolean =>
  summary.totals.skipped > 0 && !skipsOwn(summary)

function imagesOf(summary: BatchSummary): string {
  const { listed, planned, skipped } = summary.totals
  const why = skipsOwn(summary) ? 'done before' : 'unchanged'
  return `${planned} planned of ${listed} listed, ${skipped} ${why} and skipped`
}

/** Empty for a batch without tagging. */
function taggedOf({ tags }: BatchSummary): string {
  const failed = Object.entries(tags?.errors ?? {}).map(([code, count]) => `${count} ${code}`)
  return tags ? [`${tags.written} written`, ...failed].join(', ') : ''
}

/** Lost images have no engine. */
const modelOf = ({ model, engine }: BatchSummary): string =>
  [model, engine !== 'none' && engine].filter(Boolean).join(' on ')

function timeOf({ startedAt, endedAt }: BatchSummary): string {
  if (endedAt === null) return `${startedAt} – …`
  const seconds = (Date.parse(endedAt) - Date.parse(startedAt)) / 1000
  return seconds > 0 ? `${startedAt} – ${endedAt} (${seconds.toFixed(1)} s)` : startedAt
}

const timingsOf = ({ timings: { p50, p95 } }: BatchSummary): string =>
  p50.infer > 0 ? `median ${stages(p50)}; 95 % under ${stages(p95)}` : ''

const throughputOf = ({ imagesPerSecond, containers }: BatchSummary): string =>
  [
    imagesPerSecond > 0 && `${figure(imagesPerSecond)} images/s`,
    containers > 0 && `from ${plural(containers, 'container')}`,
  ]
    .filter(Boolean)
    .join(' ')

/** Actual or estimated cost of a batch; empty if unknown. */
export const costOf = ({ gbSeconds, cost, pricePerGbSecond }: BatchSummary): string =>
  gbSeconds > 0 ? `${figure(cost)} for ${figure(gbSeconds)} GB-s at ${pricePerGbSecond} each` : ''

const stages = ({ download, decode, infer }: BatchSummary['timings']['p50']): string =>
  `download ${download} ms, decode ${decode} ms, inference ${infer} ms`
