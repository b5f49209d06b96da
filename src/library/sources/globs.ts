import { globMatcher } from '../../glob'

/** A parsed glob. */
export interface Glob {
  /** Folder or prefix of all matches: empty, or ends in a slash. */
  base: string
  /** Whether a name relative to `base` matches. */
  matches: (name: string) => boolean
}

/**
 * Parses a path or address as a glob. As in a shell, a glob without `**` fixes the number of folders.
 * @param special characters that make it a glob
 * @returns undefined if it is not a glob
 * @throws InvalidInputError for an invalid glob
 */
export function splitGlob(path: string, special = /[*?[{]/): Glob | undefined {
  const first = path.search(special)
  if (first === -1) return undefined
  const base = path.slice(0, path.lastIndexOf('/', first) + 1)
  const rest = path.slice(base.length)
  const matches = globMatcher(rest)
  // globMatcher() matches a glob without a slash against the last segment, in any folder.
  return { base, matches: rest.includes('/') ? matches : (name) => !name.includes('/') && matches(name) }
}
