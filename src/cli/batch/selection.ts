import { InvalidArgumentError } from 'commander'

/** What of a bucket is meant: keys that begin with one of the prefixes, and match the glob if there is one. */
export interface Selection {
  prefix: string[]
  include?: string
}

/** Characters that mean something in a glob, escaped ones left out. */
const wildcard = /(?<!\\)[*?[{]/

/** What a glob begins with, as it stands in keys. */
const literalOf = (glob: string): string =>
  glob.slice(0, wildcard.exec(glob)?.index ?? glob.length).replace(/\\([*?[{])/g, '$1')

const escaped = (text: string): string => text.replace(/[\\*?[\](){},|!]/g, '\\$&')

/** As one of several alternatives, in which a glob without a slash matches the whole key. */
function alternativeOf(argument: string): string {
  if (wildcard.test(argument)) return argument.includes('/') ? argument : `**/${argument}`
  const prefix = escaped(literalOf(argument))
  return prefix.endsWith('/') || prefix === '' ? `${prefix}**` : `${prefix}*,${prefix}*/**`
}

/**
 * What arguments select: each is a prefix, or a glob such as `photos/**\/*.jpg`.
 * @param include a glob that was given apart from them
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
