import synsets from './synsets.json'

/** The synsets above the classes: those that something is a kind of. */
export const kinds: ReadonlySet<string> = new Set(
  Object.values(synsets.parents).flatMap((ids) => ids.split(' ')),
)

/** Names of the kinds in lower case, by id; those of the classes are in the labels. */
const names = new Map(
  Object.entries(synsets.names)
    .filter(([id]) => kinds.has(id))
    .map(([id, text]) => [id, text.toLowerCase().split(', ')] as const),
)

/** What each synset is a kind of. */
const parents = new Map(Object.entries(synsets.parents).map(([id, text]) => [id, text.split(' ')] as const))

/**
 * Tells the kinds of something: what is below a synset of WordNet 3.0, of which ImageNet's classes are the lowest.
 * @param wanted a WordNet id, or a whole name of a synset above the classes such as `dog`; in any case of letters
 * @returns whether a WordNet id is that of the synset or of a kind of it. An id that ImageNet does not have is only of its
 *   own kind
 */
export function kindOf(wanted: string): (wordnetId: string) => boolean {
  const text = wanted.toLowerCase()
  const known = new Map<string, boolean>()
  const isKind = (id: string): boolean => {
    const found =
      known.get(id) ?? (id === text || !!names.get(id)?.includes(text) || !!parents.get(id)?.some(isKind))
    known.set(id, found)
    return found
  }
  return isKind
}

/** What nearly everything is a kind of tells nothing apart. */
const general = ['entity', 'physical entity', 'object', 'whole', 'artifact']

/** The first names, in lower case, of what something is a kind of, by its WordNet id: `cat`, `feline`, `animal`. */
export function kindNames(wordnetId: string): string[] {
  const above = [...(parents.get(wordnetId) ?? [])]
  // It grows as it is walked through.
  for (const id of above) above.push(...(parents.get(id) ?? []).filter((parent) => !above.includes(parent)))
  const found = new Set(above.flatMap((id) => names.get(id)?.[0] ?? []))
  return [...found].filter((name) => !general.includes(name))
}
