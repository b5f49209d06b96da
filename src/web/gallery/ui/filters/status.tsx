import type { Filters } from '../../data/gallery'
import { useGallery } from '../context'
import { count } from '../format'
import { text } from '../strings'

const statuses: [Filters['status'], string][] = [
  ['', text.filters.all],
  ['ok', text.filters.ok],
  ['error', text.filters.error],
]

/** All, classified, or errors. */
export function StatusFilter() {
  const { filters, result } = useGallery()
  const { status } = filters.now.value
  const { ok, error } = result.value.statuses
  const counts = { '': ok + error, ok, error }
  return (
    <fieldset class="segments">
      <legend class="hidden-text">{text.filters.status}</legend>
      {statuses.map(([value, name]) => (
        <label key={value}>
          <input
            type="radio"
            name="status"
            value={value}
            checked={status === value}
            onChange={() =>
              filters.set({ status: value, code: value === 'error' ? filters.now.value.code : '' })
            }
          />
          <span>
            {name} <span class="number muted">{count(counts[value])}</span>
          </span>
        </label>
      ))}
    </fieldset>
  )
}
