import type { PhotoIndex } from './photo-index'

/**
 * Which labels and display names match a search: part of a name of the label or of a hypernym, case-insensitive. Same as `search`
 * of the action.
 */
export function searchLabels(
  { directory, names }: Pick<PhotoIndex, 'directory' | 'names'>,
  search: string,
): { labels: boolean[]; names: boolean[] } {
  const text = search.toLowerCase()
  const has = (other: string) => other.toLowerCase().includes(text)
  const kinds = directory.kinds.map(has)
  return {
    labels: directory.labels.map((label) => has(label.className) || label.kinds.some((id) => kinds[id])),
    names: names.map(has),
  }
}
