/** Lines of JSON, each ended. */
export const toJsonLines = (values: readonly object[]): string =>
  values.map((value) => `${JSON.stringify(value)}\n`).join('')

/** What {@link toJsonLines} wrote. */
export const fromJsonLines = <T>(body: Buffer): T[] =>
  body
    .toString('utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as T)
