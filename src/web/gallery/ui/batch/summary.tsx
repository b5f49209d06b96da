import type { ComponentChildren } from 'preact'
import type { BatchSummary } from '../../../../schema'
import { useGallery } from '../context'
import { count, duration, percent, short, time, timesOf } from '../format'
import { Icon } from '../icons'
import { type Fact, Facts } from '../parts/facts'
import { ProgressBar } from '../parts/progress-bar'
import { text } from '../strings'
import { batchTitle, stateClass, stateName } from './batches'
import { RunButtons } from './run'

const words = text.summary

const Total = ({ name, value, kind = '' }: { name: string; value: number; kind?: string }) => (
  <div class={kind}>
    <dt>{name}</dt>
    <dd class="number">{count(value)}</dd>
  </div>
)

const Totals = ({ totals: { ok, error, pending, skipped, listed } }: { totals: BatchSummary['totals'] }) => (
  <dl class="totals" id="totals">
    <Total name={words.classified} value={ok} />
    <Total name={words.errors} value={error} kind={error ? 'bad' : ''} />
    {pending > 0 && <Total name={words.pending} value={pending} />}
    {skipped > 0 && <Total name={words.skipped} value={skipped} />}
    {skipped > 0 && <Total name={words.listed} value={listed} />}
  </dl>
)

function Progress({ totals, state }: BatchSummary) {
  if (state === 'complete' || totals.pending === 0) return null
  const share = totals.planned ? (totals.ok + totals.error) / totals.planned : 0
  return (
    <div class="progress">
      <ProgressBar label={words.progress} share={share} />
      <span class="number" aria-hidden="true">
        {percent(share)}
      </span>
    </div>
  )
}

function factsOf(summary: BatchSummary): Fact[] {
  const { model, engine, startedAt, endedAt, imagesPerSecond, cost, containers, timings } = summary
  return [
    [words.model, model],
    [words.engine, engine],
    [words.started, time(startedAt)],
    [words.took, endedAt && duration(Date.parse(endedAt) - Date.parse(startedAt))],
    [words.speed, imagesPerSecond && words.perSecond(short(imagesPerSecond))],
    [words.median, timings.p50.infer > 0 && words.medianOf(...timesOf(timings.p50))],
    [words.containers, containers && count(containers)],
    [words.cost, cost && short(cost)],
  ]
}

/** Summary of the open batch. @param choice button to open another one, on narrow screens */
export function Summary({ choice }: { choice?: ComponentChildren }) {
  const { batch } = useGallery()
  const summary = batch.summary.value
  if (!summary) return null
  const isPreliminary = summary.state === 'complete' && !summary.exact
  return (
    <section class="panel summary" aria-labelledby="batch-title">
      <div class="summary-head">
        <div class="title">
          <div class="title-choice">
            <h2 id="batch-title" dir="auto" title={summary.batch}>
              {batchTitle(summary.batch)}
            </h2>
            {choice}
          </div>
          <span class={`pill ${stateClass(summary.state)}`} id="state">
            {stateName(summary)}
            {isPreliminary && `, ${text.batches.notFinal}`}
          </span>
        </div>
        <RunButtons summary={summary} />
      </div>
      {summary.reason && (
        <p class="reason" id="reason" dir="auto">
          {summary.reason}
        </p>
      )}
      <Progress {...summary} />
      <Totals totals={summary.totals} />
      <details class="facts">
        <summary>
          <Icon name="right" />
          {words.facts}
        </summary>
        <Facts facts={factsOf(summary)} />
      </details>
    </section>
  )
}
