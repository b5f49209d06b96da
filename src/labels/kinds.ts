import synsets from './synsets.json'

/** Synsets above ImageNet's classes. */
export const kinds: ReadonlySet<string> = new Set(
  Object.values(synsets.parents).flatMap((ids) => ids.split(' ')),
)

/** Lower-case names of the kinds, by id. Labels carry the names of the classes. */
const names = new Map(
  Object.entries(synsets.names)
    .filter(([id]) => kinds.has(id))
    .map(([id, text]) => [id, text.toLowerCase().split(', ')] as const),
)

/** Parents of each synset. */
const parents = new Map(Object.entries(synsets.parents).map(([id, text]) => [id, text.split(' ')] as const))

/**
 * Builds a test for a kind in WordNet 3.0, whose lowest synsets here are ImageNet's classes.
 * @param wanted a WordNet id, or the full name of a synset above the classes such as `dog`; ignores case
 * @returns whether a WordNet id is that synset or below it; an id that ImageNet lacks matches only itself
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

/** Kinds that nearly every label has, and so distinguish nothing. */
const general = ['entity', 'physical entity', 'object', 'whole', 'artifact']

/** The first names of the kinds of a WordNet id, in lower case: `cat`, `feline`, `animal`. */
export function kindNames(wordnetId: string): string[] {
  const above = [...(parents.get(wordnetId) ?? [])]
  // Grows during iteration.
  for (const id of above) above.push(...(parents.get(id) ?? []).filter((parent) => !above.includes(parent)))
  const found = new Set(above.flatMap((id) => names.get(id)?.[0] ?? []))
  return [...found].filter((name) => !general.includes(name))
}
