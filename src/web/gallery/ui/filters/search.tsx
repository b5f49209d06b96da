import { type Sort, sorts } from '../../data/gallery'
import { useGallery } from '../context'
import { Icon } from '../icons'
import { text } from '../strings'
import { useTyped } from './use-typed'

const words = text.filters

/** Searches labels, synonyms, hypernyms and keys. */
export function Search() {
  const { filters, result } = useGallery()
  const typed = useTyped(filters.now.value.search, (search) => filters.set({ search }, 'replace'))
  const { searching } = result.value
  return (
    <search class="search">
      <Icon name="search" />
      <input
        type="search"
        id="search"
        aria-label={words.search}
        placeholder={words.searchHint}
        spellcheck={false}
        autocomplete="off"
        {...typed}
      />
      {searching !== undefined && <span class="small muted">{words.searching(searching)}</span>}
    </search>
  )
}

export function SortChoice() {
  const { filters } = useGallery()
  return (
    <label class="sort">
      <span class="hidden-text">{words.sort}</span>
      <select
        value={filters.now.value.sort}
        onChange={(event) => filters.set({ sort: event.currentTarget.value as Sort })}
      >
        {sorts.map((sort) => (
          <option key={sort} value={sort}>
            {words.sorts[sort]}
          </option>
        ))}
      </select>
    </label>
  )
}
