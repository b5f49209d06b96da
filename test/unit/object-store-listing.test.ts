import fc from 'fast-check'
import { fromBinary, listKeys, toBinary } from '../../src/local/store/listing'

const byBytes = (a: string, b: string): number => Buffer.compare(Buffer.from(a), Buffer.from(b))

interface Query {
  prefix: string
  delimiter: string
  startAfter: string
}

/** Reference implementation: groups all keys, then drops those up to `startAfter`. */
function model(keys: string[], { prefix, delimiter, startAfter }: Query): string[] {
  const items = new Set<string>()
  for (const key of keys) {
    if (!key.startsWith(prefix)) continue
    const cut = delimiter === '' ? -1 : key.indexOf(delimiter, prefix.length)
    const item = cut < 0 ? key : key.slice(0, cut + delimiter.length)
    // A common prefix is dropped if it equals `startAfter`, although its keys sort after it.
    if (startAfter !== '' && (byBytes(key, startAfter) <= 0 || item === startAfter)) continue
    items.add(item)
  }
  return [...items].sort(byBytes)
}

function pages(keys: string[], { prefix, delimiter, startAfter }: Query, limit: number): string[] {
  const sorted = keys.map(toBinary).sort()
  const items: string[] = []
  for (let after: string | undefined = toBinary(startAfter); after !== undefined; ) {
    const page = listKeys(sorted, { prefix: toBinary(prefix), delimiter: toBinary(delimiter), after, limit })
    const here = [...page.keys, ...page.prefixes].map(fromBinary).sort(byBytes)
    if (here.length > limit || (page.next !== undefined && here.length < limit))
      throw new Error('not a full page')
    items.push(...here)
    after = page.next
  }
  return items
}

// Few letters, so that keys share prefixes, and characters that sort differently in UTF-16 and UTF-8.
const text = (maxLength: number) =>
  fc.string({ unit: fc.constantFrom('a', 'b', '/', '//', ' ', '\0', '\x7f', 'é', '\uffff', '😀'), maxLength })

describe('a listing', () => {
  it('equals a naive model for any keys, prefix, delimiter, start and page size', () => {
    const query = fc.record({ prefix: text(3), delimiter: text(2), startAfter: text(4) })
    const keys = fc.uniqueArray(
      text(6).filter((key) => key !== ''),
      { maxLength: 30 },
    )
    fc.assert(
      fc.property(keys, query, fc.integer({ min: 1, max: 9 }), (keys, query, limit) => {
        expect(pages(keys, query, limit)).toEqual(model(keys, query))
      }),
      { numRuns: 3000 },
    )
  })

  it('reads only a few keys per page, however many there are', () => {
    const keys = Array.from({ length: 100_000 }, (_, n) => `${String(n % 100).padStart(2, '0')}/${n}`).sort()
    let reads = 0
    const counted = new Proxy(keys, {
      get(target, property) {
        if (typeof property === 'string' && /^\d+$/.test(property)) reads++
        return Reflect.get(target, property)
      },
    })
    const page = listKeys(counted, { prefix: '', delimiter: '/', after: '', limit: 1000 })
    expect([page.prefixes.length, page.next]).toEqual([100, undefined])
    expect(reads).toBeLessThan(100 * 20)
    reads = 0
    expect(listKeys(counted, { prefix: '50/', delimiter: '', after: '50/5', limit: 500 }).keys).toHaveLength(
      500,
    )
    expect(reads).toBeLessThan(600)
  })

  it('returns nothing for a limit of 0', () => {
    expect(listKeys(['a'], { prefix: '', delimiter: '', after: '', limit: 0 })).toEqual({
      keys: [],
      prefixes: [],
    })
  })
})
