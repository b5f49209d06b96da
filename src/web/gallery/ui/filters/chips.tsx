import { type Filters, noFilters } from '../../data/gallery'
import { useGallery } from '../context'
import { day } from '../format'
import { Icon } from '../icons'
import { text } from '../strings'

const words = text.filters

interface Chip {
  says: string
  without: Partial<Filters>
}

/** Addresses may name a year, a month or a time as well. */
const dayOrPart = (text: string): string => (text.length === 10 ? day(text) : text)

/** What is filtered by, each with the filters that are left without it. */
function chipsOf({
  labels,
  confidence,
  status,
  code,
  search,
  takenSince,
  takenUntil,
  camera,
}: Filters): Chip[] {
  const [least, greatest] = confidence
  const isRange = least > 0 || greatest < 1
  const chips: (Chip | false | '')[] = [
    search && { says: words.searchChip(search), without: { search: '' } },
    ...labels.map((label) => ({
      says: label,
      without: { labels: labels.filter((other) => other !== label) },
    })),
    code && { says: code, without: { code: '', status: '' } },
    status && !code && { says: words[status], without: { status: '' } },
    isRange && { says: words.range(least, greatest), without: { confidence: noFilters.confidence } },
    takenSince && { says: words.since(dayOrPart(takenSince)), without: { takenSince: '' } },
    takenUntil && { says: words.until(dayOrPart(takenUntil)), without: { takenUntil: '' } },
    camera && { says: camera, without: { camera: '' } },
  ]
  return chips.filter((chip): chip is Chip => Boolean(chip))
}

/** Where the focus goes on from a button that is taken away with its filter. */
export const focusImages = (): void => document.getElementById('images')?.focus({ preventScroll: true })

/** Active filters, each to be removed. */
export function Chips() {
  const { filters } = useGallery()
  if (!filters.isActive.value) return null
  return (
    <ul class="chips" aria-label={words.chips}>
      {chipsOf(filters.now.value).map(({ says, without }) => (
        <li key={says}>
          <button
            type="button"
            class="chip"
            aria-label={words.remove(says)}
            onClick={() => {
              filters.set(without)
              focusImages()
            }}
          >
            <span dir="auto">{says}</span>
            <Icon name="close" />
          </button>
        </li>
      ))}
      <li>
        <button
          type="button"
          class="quiet"
          onClick={() => {
            filters.clear()
            focusImages()
          }}
        >
          {words.clear}
        </button>
      </li>
    </ul>
  )
}
