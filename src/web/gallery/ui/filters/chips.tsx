import { type Filters, noFilters } from '../../data/gallery'
import { useGallery } from '../context'
import { day } from '../format'
import { Icon } from '../icons'
import { text } from '../strings'

const words = text.filters

interface Chip {
  caption: string
  without: Partial<Filters>
}

/** The filter may be a year, month or time, too. */
const dayOrPart = (text: string): string => (text.length === 10 ? day(text) : text)

/** Active filters, each with the changes that remove it. */
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
    search && { caption: words.searchChip(search), without: { search: '' } },
    ...labels.map((label) => ({
      caption: label,
      without: { labels: labels.filter((other) => other !== label) },
    })),
    code && { caption: code, without: { code: '', status: '' } },
    status && !code && { caption: words[status], without: { status: '' } },
    isRange && { caption: words.range(least, greatest), without: { confidence: noFilters.confidence } },
    takenSince && { caption: words.since(dayOrPart(takenSince)), without: { takenSince: '' } },
    takenUntil && { caption: words.until(dayOrPart(takenUntil)), without: { takenUntil: '' } },
    camera && { caption: camera, without: { camera: '' } },
  ]
  return chips.filter((chip): chip is Chip => Boolean(chip))
}

/** Moves the focus on when a button is removed with its filter. */
export const focusImages = (): void => document.getElementById('images')?.focus({ preventScroll: true })

/** Active filters, with buttons to remove them. */
export function Chips() {
  const { filters } = useGallery()
  if (!filters.isActive.value) return null
  return (
    <ul class="chips" aria-label={words.chips}>
      {chipsOf(filters.now.value).map(({ caption, without }) => (
        <li key={caption}>
          <button
            type="button"
            class="chip"
            aria-label={words.remove(caption)}
            onClick={() => {
              filters.set(without)
              focusImages()
            }}
          >
            <span dir="auto">{caption}</span>
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
