import type { BatchSummary } from '../../../../schema'
import { dayOf } from '../../data/gallery'
import { useGallery } from '../context'
import { day } from '../format'
import { text } from '../strings'

/** State as a CSS class; unknown states get none. */
export const stateClass = (state: string): string => (Object.hasOwn(text.batches.states, state) ? state : '')

/** A batch of uploads stays open until the day ends, even without work. */
export function stateName({ batch, state, totals }: BatchSummary): string {
  const isWaiting = state === 'running' && totals.pending === 0 && dayOf(batch) !== undefined
  return isWaiting ? text.batches.waiting : (text.batches.states[state] ?? state)
}

export const batchTitle = (batch: string): string => {
  const date = dayOf(batch)
  return date ? text.batches.day(day(date)) : batch
}

function countsOf({ totals, state }: BatchSummary): string {
  const done = totals.ok + totals.error
  const isDone = state === 'complete'
  return [
    isDone ? text.batches.images(done) : text.batches.progress(done, totals.planned),
    totals.error ? text.batches.errors(totals.error) : '',
  ]
    .filter(Boolean)
    .join(' · ')
}

interface EntryProps {
  summary: BatchSummary
  isChosen: boolean
  open(): void
}

const Entry = ({ summary, isChosen, open }: EntryProps) => (
  <li>
    <button
      type="button"
      class="batch"
      data-batch={summary.batch}
      aria-current={isChosen ? 'true' : undefined}
      onClick={open}
    >
      <span class={`dot ${stateClass(summary.state)}`} aria-hidden="true" />
      <span class="batch-name" dir="auto" title={summary.batch}>
        {batchTitle(summary.batch)}
      </span>
      <span class="batch-counts number">
        <span class="hidden-text">{stateName(summary)}, </span>
        {countsOf(summary)}
      </span>
    </button>
  </li>
)

/** Batches, uploads included, newest first. */
export function Batches({ chosen = () => {} }: { chosen?: () => void }) {
  const { batches } = useGallery()
  return (
    <ol class="batches">
      {batches.list.value.map((summary) => (
        <Entry
          key={summary.batch}
          summary={summary}
          isChosen={summary.batch === batches.chosen.value}
          open={() => {
            batches.open(summary.batch)
            chosen()
          }}
        />
      ))}
    </ol>
  )
}
