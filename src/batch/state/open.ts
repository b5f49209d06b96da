import type { Bucket } from '../../storage/store'
import { openKey, openPrefix } from './layout'

/*
 * An empty entry for each run whose end is not announced: what has to be carried on is found at a cost in proportion to
 * it, however many batches there were. It says nothing else: the document does.
 */

/** A run that has an entry. */
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

/** All runs that have an entry, days of uploads among them. */
export async function* listOpenRuns(results: Bucket, batch = ''): AsyncGenerator<OpenRun> {
  for await (const { key, lastModified } of results.list({ prefix: openPrefix + batch })) {
    const [id = '', run = ''] = key.slice(openPrefix.length).split('~')
    if (/^\d+$/.test(run)) yield { batch: id, run: Number(run), since: lastModified }
  }
}

/** The ids of all batches with an entry, each once. */
export async function* listOpen(results: Bucket): AsyncGenerator<string> {
  let last: string | undefined
  for await (const { batch } of listOpenRuns(results)) {
    if (batch !== last) yield batch
    last = batch
  }
}

/** Whether a batch was fired, and its end is not announced yet. */
export async function isListedOpen(results: Bucket, batch: string): Promise<boolean> {
  for await (const _ of listOpenRuns(results, `${batch}~`)) return true
  return false
}
