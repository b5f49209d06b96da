import { compareKeys } from './keys'

interface Keyed {
  key: string
}

/** The items of two sorted sequences with the same key. */
export type Pair<L, R> = [left: L, right: R | undefined] | [left: undefined, right: R]

/**
 * Pairs the items of two sorted sequences by key, in one pass and constant memory. Unmatched items come alone, in
 * order.
 */
export async function* pairByKey<L extends Keyed, R extends Keyed>(
  lefts: AsyncIterable<L>,
  rights: AsyncIterable<R>,
): AsyncGenerator<Pair<L, R>> {
  const remaining = rights[Symbol.asyncIterator]()
  let right = await remaining.next()
  try {
    for await (const left of lefts) {
      for (; !right.done && compareKeys(right.value.key, left.key) < 0; right = await remaining.next()) {
        yield [undefined, right.value]
      }
      const own = !right.done && right.value.key === left.key ? right.value : undefined
      if (own) right = await remaining.next()
      yield [left, own]
    }
    for (; !right.done; right = await remaining.next()) yield [undefined, right.value]
  } finally {
    await remaining.return?.()
  }
}

/**
 * Finds items of a sorted sequence by key in one pass, reading no further than needed.
 * @returns a lookup to be called in the order of keys
 */
export function findByKey<T extends Keyed>(
  sequence: AsyncIterable<T>,
): (key: string) => Promise<T | undefined> {
  const remaining = sequence[Symbol.asyncIterator]()
  let next: IteratorResult<T, unknown> | undefined
  return async (key) => {
    next ??= await remaining.next()
    while (!next.done && compareKeys(next.value.key, key) < 0) next = await remaining.next()
    return !next.done && next.value.key === key ? next.value : undefined
  }
}
