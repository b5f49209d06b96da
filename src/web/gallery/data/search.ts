import type { PhotoIndex } from './photo-index'

/**
 * Which labels and shown names a text finds: part of any of a label's names, or the whole name of what it is a kind of, in
 * any case of letters. As `search` of the action does.
 */
export function searchLabels(
  { directory, names }: Pick<PhotoIndex, 'directory' | 'names'>,
  search: string,
): { labels: boolean[]; names: boolean[] } {
  const text = search.toLowerCase()
  const has = (other: string) => other.toLowerCase().includes(text)
  return {
    labels: directory.labels.map(
      ({ label, className, wordnetId, kinds }) =>
        has(label) || has(className) || wordnetId === text || kinds.includes(text),
    ),
    names: names.map(has),
  }
}
