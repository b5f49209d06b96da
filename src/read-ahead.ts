/**
 * Maps a sequence asynchronously in order, running a few calls ahead in bounded memory.
 * @param ahead maximum of calls in flight or waiting to be consumed
 */
export async function* readAhead<T, U>(
  items: Iterable<T> | AsyncIterable<T>,
  ahead: number,
  read: (item: T) => Promise<U>,
): AsyncGenerator<U> {
  const readings: Promise<U>[] = []
  for await (const item of items) {
    const reading = read(item)
    // Awaited in order; until then a failure must not count as unhandled.
    reading.catch(() => {})
    readings.push(reading)
    const next = readings.length >= ahead && readings.shift()
    if (next) yield await next
  }
  for (const reading of readings) yield await reading
}

/**
 * Requests items of a sequence ahead of use, so that the next page of a listing loads while one is processed. Starts at
 * once.
 * @param sequence a generator: it queues concurrent requests
 */
export function prefetched<T>(sequence: AsyncGenerator<T>, ahead: number): AsyncGenerator<T> {
  const asked: Promise<IteratorResult<T>>[] = []
  const ask = (): void => {
    while (asked.length < ahead) {
      const next = sequence.next()
      // Awaited in order; until then a failure must not count as unhandled.
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
    // Queued after the pending requests.
    sequence.return(undefined).catch(() => {})
  }
}
