/**
 * Reads what each item of a sequence stands for, a few ahead of the one in use, and keeps their order: memory stays
 * bounded however long the sequence is.
 * @param ahead most readings that are under way or waiting to be used
 */
export async function* readAhead<T, U>(
  items: Iterable<T> | AsyncIterable<T>,
  ahead: number,
  read: (item: T) => Promise<U>,
): AsyncGenerator<U> {
  const readings: Promise<U>[] = []
  for await (const item of items) {
    const reading = read(item)
    // Awaited when it is its turn; until then a failure must not count as unhandled.
    reading.catch(() => {})
    readings.push(reading)
    const next = readings.length >= ahead && readings.shift()
    if (next) yield await next
  }
  for (const reading of readings) yield await reading
}

/**
 * Passes a sequence on, of which so many items are asked for before they are used: the next page of a listing is on its
 * way while one is worked on. Asks at once.
 * @param sequence a generator: it answers one request after the other
 */
export function prefetched<T>(sequence: AsyncGenerator<T>, ahead: number): AsyncGenerator<T> {
  const asked: Promise<IteratorResult<T>>[] = []
  const ask = (): void => {
    while (asked.length < ahead) {
      const next = sequence.next()
      // Awaited when it is its turn; until then a failure must not count as unhandled.
      next.catch(() => {})
      asked.push(next)
    }
  }
  ask()
  return passOn(sequence, asked, ask)
}

async function* passOn<T>(
  sequence: AsyncGenerator<T>,
  asked: Promise<IteratorResult<T>>[],
  ask: () => void,
): AsyncGenerator<T> {
  try {
    for (let next = await asked.shift(); next && !next.done; next = await asked.shift()) {
      ask()
      yield next.value
    }
  } finally {
    // It ends behind what it was asked for already.
    sequence.return(undefined).catch(() => {})
  }
}
