import type { PhotoIndex } from './photo-index'

/**
 * Which labels and shown names a text finds: part of any of a label's names, or of what it is a kind of, in any case of
 * letters. As `search` of the action does.
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
