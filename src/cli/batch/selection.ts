import { InvalidArgumentError } from 'commander'

/** Selects the keys that have one of the prefixes and, if there is a glob, match it. */
export interface Selection {
  prefix: string[]
  include?: string
}

/** Unescaped wildcards. */
const wildcard = /(?<!\\)[*?[{]/

/** The literal prefix of a glob, unescaped. */
const literalOf = (glob: string): string =>
  glob.slice(0, wildcard.exec(glob)?.index ?? glob.length).replace(/\\([*?[{])/g, '$1')

const escaped = (text: string): string => text.replace(/[\\*?[\](){},|!]/g, '\\$&')

/** One alternative of a combined glob. In alternatives, a glob without a slash matches the whole key. */
function alternativeOf(argument: string): string {
  if (wildcard.test(argument)) return argument.includes('/') ? argument : `**/${argument}`
  const prefix = escaped(literalOf(argument))
  return prefix.endsWith('/') || prefix === '' ? `${prefix}**` : `${prefix}*,${prefix}*/**`
}

/**
 * Parses arguments, each a prefix or a glob such as `photos/**\/*.jpg`.
 * @param include glob from `--include`
 * @throws InvalidArgumentError for globs in both places
 */
export function selectionOf(args: string[], include?: string): Selection {
  const prefix = args.length === 0 ? [''] : args.map(literalOf)
  const globs = args.filter((argument) => wildcard.test(argument))
  if (globs.length === 0) return { prefix, include }
  if (include !== undefined)
    throw new InvalidArgumentError(`Expected globs as arguments or with --include, not both: ${globs[0]}`)
  const [only] = args
  return { prefix, include: args.length === 1 ? only : `{${args.map(alternativeOf).join(',')}}` }
}
