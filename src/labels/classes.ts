import { kinds } from './kinds'
import synsets from './synsets.json'

/** The names of a label. */
export interface NamedLabel {
  label: string
  /** All names, comma-separated. */
  className: string
  /** Empty when it is not in WordNet. */
  wordnetId: string
}

/** By label. Where several synsets share one, ImageNet's classes take precedence over their kinds. */
const byLabel = new Map(
  Object.entries(synsets.names)
    .map(([wordnetId, className]) => ({ label: className.split(', ')[0] ?? '', className, wordnetId }))
    .sort((a, b) => Number(kinds.has(b.wordnetId)) - Number(kinds.has(a.wordnetId)))
    .map((known) => [known.label, known] as const),
)

/** The names of a label known only by its first name; without others if it is not in WordNet. */
export const findLabel = (label: string): NamedLabel =>
  byLabel.get(label) ?? { label, className: label, wordnetId: '' }
