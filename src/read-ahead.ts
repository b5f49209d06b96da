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
