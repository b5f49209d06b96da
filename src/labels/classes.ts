import { kinds } from './kinds'
import synsets from './synsets.json'

/** The names of a label. */
export interface NamedLabel {
  label: string
  /** All its names, with commas between them. */
  className: string
  /** Empty where it is none of WordNet's. */
  wordnetId: string
}

/** The classes of ImageNet go before what they are kinds of. */
const byLabel = new Map(
  Object.entries(synsets.names)
    .map(([wordnetId, className]) => ({ label: className.split(', ')[0] ?? '', className, wordnetId }))
    .sort((a, b) => Number(kinds.has(b.wordnetId)) - Number(kinds.has(a.wordnetId)))
    .map((known) => [known.label, known] as const),
)

/** A label of which only the first name is known: one of WordNet's, else one of which nothing more is known. */
export const labelNamed = (label: string): NamedLabel =>
  byLabel.get(label) ?? { label, className: label, wordnetId: '' }
