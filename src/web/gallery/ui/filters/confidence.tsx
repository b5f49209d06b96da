import { useRef } from 'preact/hooks'
import { useGallery } from '../context'
import { text } from '../strings'

type Range = [least: number, greatest: number]

/** Keeps the minimum below the maximum: the handle that moves stops at the other. */
const within = ([least, greatest]: Range, end: 0 | 1, value: number): Range =>
  end === 0
    ? [Math.min(Math.max(0, value), greatest), greatest]
    : [least, Math.max(Math.min(1, value), least)]

/** Bar heights are square roots, so that small bins stay visible beside a large one. */
function Histogram({ bins, range: [least, greatest] }: { bins: Uint32Array; range: Range }) {
  const highest = Math.sqrt(Math.max(1, ...bins))
  const width = 100 / bins.length
  return (
    <svg class="bins" viewBox="0 0 100 30" preserveAspectRatio="none" aria-hidden="true">
      {Array.from(bins, (value, bin) => {
        const height = value ? Math.max(1, (Math.sqrt(value) / highest) * 30) : 0
        const middle = (bin + 0.5) / bins.length
        const isIn = middle >= least && middle <= greatest
        return (
          <rect
            key={bin}
            class={isIn ? 'in' : ''}
            x={bin * width}
            y={30 - height}
            width={width * 0.8}
            height={height}
          />
        )
      })}
    </svg>
  )
}

/** Filter by confidence of the top label: a histogram with two handles, and number fields. */
export function ConfidenceFilter() {
  const { filters, result } = useGallery()
  const range = filters.now.value.confidence
  // A drag makes a single history entry.
  const isDragged = useRef(false)
  const change = (end: 0 | 1, value: number) => {
    if (Number.isNaN(value)) return
    filters.set({ confidence: within(range, end, value) }, isDragged.current ? 'replace' : 'push')
    isDragged.current = true
  }
  const released = () => {
    isDragged.current = false
  }
  const slider = (end: 0 | 1) => (
    <input
      type="range"
      min="0"
      max="100"
      value={Math.round(range[end] * 100)}
      aria-label={end === 0 ? text.filters.least : text.filters.greatest}
      onInput={(event) => change(end, event.currentTarget.valueAsNumber / 100)}
      onChange={released}
    />
  )
  const number = (end: 0 | 1) => (
    <span class="percent-input">
      <input
        type="number"
        min="0"
        max="100"
        step="any"
        value={Math.round(range[end] * 1000) / 10}
        aria-label={end === 0 ? text.filters.leastPercent : text.filters.greatestPercent}
        onChange={(event) => {
          released()
          change(end, event.currentTarget.valueAsNumber / 100)
          released()
        }}
      />
      <span aria-hidden="true">%</span>
    </span>
  )
  return (
    <section class="filter" aria-labelledby="confidence-title">
      <h3 id="confidence-title">{text.filters.confidence}</h3>
      <div class="range">
        <Histogram bins={result.value.confidence} range={range} />
        {slider(0)}
        {slider(1)}
      </div>
      <div class="range-numbers">
        {number(0)}
        <span aria-hidden="true">–</span>
        {number(1)}
      </div>
    </section>
  )
}
