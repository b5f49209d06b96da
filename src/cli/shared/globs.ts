import { globMatcher } from '../../glob'

/** A glob in the form in which it is looked for. */
export interface Glob {
  /** The folder or prefix that all matches lie below: nothing, or something that ends in a slash. */
  base: string
  /** Whether a name below it matches. */
  matches: (name: string) => boolean
}

/**
 * Takes a path or address apart that is a glob, as shells understand it: without a `**` it says how many folders there are.
 * @param special what makes it one
 * @returns undefined when it is none
 * @throws InvalidInputError for a glob that means nothing
 */
export function splitGlob(path: string, special = /[*?[{]/): Glob | undefined {
  const first = path.search(special)
  if (first === -1) return undefined
  const base = path.slice(0, path.lastIndexOf('/', first) + 1)
  const rest = path.slice(base.length)
  const matches = globMatcher(rest)
  // A glob without a slash is matched against the last segment, wherever that is.
  return { base, matches: rest.includes('/') ? matches : (name) => !name.includes('/') && matches(name) }
}
