import type { Bucket } from '../../storage/store'
import { toMetadata, type Usage } from './usage'

export const toJsonLines = (values: readonly object[]): string =>
  values.map((value) => `${JSON.stringify(value)}\n`).join('')

/** Parses the output of {@link toJsonLines}. */
export const fromJsonLines = <T>(body: Buffer): T[] =>
  body
    .toString('utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as T)

/** Stores values as JSON Lines. @param usage stored as metadata */
export async function putJsonLines(
  results: Bucket,
  key: string,
  values: readonly object[],
  usage?: Usage,
): Promise<void> {
  const metadata = usage && toMetadata(usage)
  await results.put(key, toJsonLines(values), { contentType: 'application/x-ndjson', metadata })
}
