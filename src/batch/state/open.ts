import type { Bucket } from '../../storage/store'
import { openKey, openPrefix } from './layout'

/*
 * An empty index entry for each run whose end is not announced. Finding work costs in proportion to it, not to the
 * number of batches. The state is in the document.
 */

/** An indexed run. */
export interface OpenRun {
  batch: string
  run: number
  /** ISO 8601, by the store's clock. */
  since: string
}

export const putEntry = async (results: Bucket, batch: string, run: number): Promise<void> => {
  await results.put(openKey(batch, run), '', { contentType: 'text/plain' })
}

export const deleteEntry = (results: Bucket, batch: string, run: number): Promise<void> =>
  results.delete(openKey(batch, run))

/** Lists indexed runs, days of uploads included. */
export async function* listOpenRuns(results: Bucket, batch = ''): AsyncGenerator<OpenRun> {
  for await (const { key, lastModified } of results.list({ prefix: openPrefix + batch })) {
    const [id = '', run = ''] = key.slice(openPrefix.length).split('~')
    if (/^\d+$/.test(run)) yield { batch: id, run: Number(run), since: lastModified }
  }
}

/** Lists the ids of indexed batches, each once. */
export async function* listOpen(results: Bucket): AsyncGenerator<string> {
  let last: string | undefined
  for await (const { batch } of listOpenRuns(results)) {
    if (batch !== last) yield batch
    last = batch
  }
}

/** Whether a batch has a run whose end is not announced. */
export async function isListedOpen(results: Bucket, batch: string): Promise<boolean> {
  for await (const _ of listOpenRuns(results, `${batch}~`)) return true
  return false
}
