import { useState } from 'preact/hooks'
import type { Count } from '../../data/gallery'
import { useGallery } from '../context'
import { count } from '../format'
import { Bar } from '../parts/bar'
import { text } from '../strings'

/** Number of labels shown when collapsed. */
const collapsedCount = 8
/** Maximum number of labels shown when expanded; a model may have thousands, found by typing. */
const maxShown = 60

interface RowProps {
  name: string
  value: number
  greatest: number
  isChosen: boolean
  choose(): void
}

/** A name with its count; a button that filters. */
export const CountRow = ({ name, value, greatest, isChosen, choose }: RowProps) => (
  <li>
    <button type="button" class="count-row" aria-pressed={isChosen} onClick={choose}>
      <span class="name" dir="auto" title={name}>
        {name}
      </span>
      <span class="number">{count(value)}</span>
      <Bar share={value / greatest} />
    </button>
  </li>
)

/** Chosen labels first, including those with no images under the other filters. */
function ordered(labels: Count[], chosen: string[]): Count[] {
  const isChosen = new Set(chosen)
  const counts = new Map(labels.map((label) => [label.name, label.count]))
  return [
    ...chosen.map((name) => ({ name, count: counts.get(name) ?? 0 })),
    ...labels.filter(({ name }) => !isChosen.has(name)),
  ]
}

function Expanded({ labels, rows }: { labels: Count[]; rows(labels: Count[]): preact.ComponentChildren }) {
  const [words, setWords] = useState('')
  const found = labels.filter(({ name }) => name.toLowerCase().includes(words.trim().toLowerCase()))
  return (
    <>
      <input
        type="search"
        class="find-label"
        aria-label={text.filters.findLabel}
        placeholder={text.filters.findLabel}
        value={words}
        spellcheck={false}
        onInput={(event) => setWords(event.currentTarget.value)}
      />
      {rows(found.slice(0, maxShown))}
      {found.length === 0 && <p class="small muted">{text.filters.noLabel}</p>}
      {found.length > maxShown && (
        <p class="small muted">{text.filters.moreLabels(found.length - maxShown)}</p>
      )}
    </>
  )
}

/** Histogram of labels: each bar toggles a filter. */
export function LabelFilter() {
  const { filters, result } = useGallery()
  const [isExpanded, setExpanded] = useState(false)
  const chosen = filters.now.value.labels
  const labels = ordered(result.value.labels, chosen)
  if (labels.length === 0) return null
  const greatest = Math.max(1, ...result.value.labels.map((label) => label.count))
  const rows = (some: Count[]) => (
    <ol class="counts">
      {some.map((label) => (
        <CountRow
          key={label.name}
          name={label.name}
          value={label.count}
          greatest={greatest}
          isChosen={chosen.includes(label.name)}
          choose={() => filters.toggleLabel(label.name)}
        />
      ))}
    </ol>
  )
  return (
    <section class="filter" id="labels" aria-labelledby="labels-title">
      <h3 id="labels-title">{text.filters.labels}</h3>
      {isExpanded ? (
        <Expanded labels={labels} rows={rows} />
      ) : (
        rows(labels.slice(0, Math.max(collapsedCount, chosen.length)))
      )}
      {labels.length > collapsedCount && (
        <button
          type="button"
          class="quiet"
          aria-expanded={isExpanded}
          onClick={() => setExpanded(!isExpanded)}
        >
          {isExpanded ? text.showFewer : text.showAll(labels.length)}
        </button>
      )}
    </section>
  )
}
