/**
 * Maps a sequence with several calls under way, and yields the results in the sequence's order. At most `ahead`
 * elements are taken before the oldest result is yielded, so that memory stays bounded however long the sequence is.
 */
export async function* mapInOrder<T, R>(
  source: AsyncIterable<T> | Iterable<T>,
  ahead: number,
  map: (element: T) => Promise<R>,
): AsyncGenerator<R> {
  const underWay: Promise<R>[] = []
  for await (const element of source) {
    const result = map(element)
    // It is awaited later; until then a failure must not count as unhandled.
    result.catch(() => {})
    underWay.push(result)
    if (underWay.length < ahead) continue
    yield await (underWay.shift() as Promise<R>)
  }
  yield* underWay
}
