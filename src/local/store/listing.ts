/**
 * Keys are ordered by their UTF-8 bytes. In the index each key is a "binary" string, one character per byte, so that `<`,
 * startsWith and indexOf compare bytes. JavaScript's own order (UTF-16) differs beyond U+FFFF.
 */
export const toBinary = (text: string): string => Buffer.from(text, 'utf8').toString('latin1')
export const fromBinary = (binary: string): string => Buffer.from(binary, 'latin1').toString('utf8')

/** Index of the first key not less than `bound`. */
export function lowerBound(keys: readonly string[], bound: string): number {
  let low = 0
  let high = keys.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((keys[middle] ?? '') < bound) low = middle + 1
    else high = middle
  }
  return low
}

// 0xff does not occur in UTF-8, so this sorts after every key with the prefix.
const endOfPrefix = (prefix: string): string => `${prefix}\xff`

/** Parameters of a page; all texts binary. */
export interface ListingQuery {
  prefix: string
  delimiter: string
  /** The page starts after this key or common prefix; empty for the first page. */
  after: string
  limit: number
}

export interface ListingPage {
  keys: string[]
  prefixes: string[]
  /** Last key or common prefix, if another page follows: the `after` of that page. */
  next?: string
}

/** One page of the sorted `keys`; visits only the keys returned and one key per common prefix. */
export function listKeys(
  keys: readonly string[],
  { prefix, delimiter, after, limit }: ListingQuery,
): ListingPage {
  const groupOf = (key: string): string | undefined => {
    const cut = delimiter === '' || !key.startsWith(prefix) ? -1 : key.indexOf(delimiter, prefix.length)
    return cut < 0 ? undefined : key.slice(0, cut + delimiter.length)
  }
  const page: ListingPage = { keys: [], prefixes: [] }
  // A listed common prefix covers all its keys.
  const start = after === '' ? '' : groupOf(after) === after ? endOfPrefix(after) : `${after}\0`
  let at = lowerBound(keys, start > prefix ? start : prefix)
  let last: string | undefined
  for (let left = limit; ; left--) {
    const key = keys[at]
    if (key === undefined || limit === 0 || !key.startsWith(prefix)) return page
    if (left === 0) return { ...page, next: last }
    const group = groupOf(key)
    if (group === undefined) page.keys.push(key)
    else page.prefixes.push(group)
    at = group === undefined ? at + 1 : lowerBound(keys, endOfPrefix(group))
    last = group ?? key
  }
}
