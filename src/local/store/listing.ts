/**
 * Keys are ordered by their UTF-8 bytes. Inside the index each is a "binary" string, one character a byte, whose `<`,
 * startsWith and indexOf are those of the bytes; JavaScript's own order (UTF-16) differs beyond U+FFFF.
 */
export const toBinary = (text: string): string => Buffer.from(text, 'utf8').toString('latin1')
export const fromBinary = (binary: string): string => Buffer.from(binary, 'latin1').toString('utf8')

/** The place of the first key that is not less than `bound`, found by binary search. */
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

// 0xff occurs in no UTF-8 text, so this sorts behind every key that starts with `prefix`.
const beyond = (prefix: string): string => `${prefix}\xff`

/** What a page of keys is asked with; all texts binary. */
export interface ListingQuery {
  prefix: string
  delimiter: string
  /** The page starts behind this key or common prefix; empty for the first page. */
  after: string
  limit: number
}

export interface ListingPage {
  keys: string[]
  prefixes: string[]
  /** The last key or common prefix of this page, if another page follows: its `after`. */
  next?: string
}

/** One page out of the sorted `keys`; touches only what it returns, and one key of each common prefix. */
export function listKeys(
  keys: readonly string[],
  { prefix, delimiter, after, limit }: ListingQuery,
): ListingPage {
  const groupOf = (key: string): string | undefined => {
    const cut = delimiter === '' || !key.startsWith(prefix) ? -1 : key.indexOf(delimiter, prefix.length)
    return cut < 0 ? undefined : key.slice(0, cut + delimiter.length)
  }
  const page: ListingPage = { keys: [], prefixes: [] }
  // A common prefix was listed for all of its keys.
  const start = after === '' ? '' : groupOf(after) === after ? beyond(after) : `${after}\0`
  let at = lowerBound(keys, start > prefix ? start : prefix)
  let last: string | undefined
  for (let left = limit; ; left--) {
    const key = keys[at]
    if (key === undefined || limit === 0 || !key.startsWith(prefix)) return page
    if (left === 0) return { ...page, next: last }
    const group = groupOf(key)
    if (group === undefined) page.keys.push(key)
    else page.prefixes.push(group)
    at = group === undefined ? at + 1 : lowerBound(keys, beyond(group))
    last = group ?? key
  }
}
