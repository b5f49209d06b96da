import type { Bucket } from '../../storage/store'
import { openKey, openPrefix } from '../layout'

/*
 * A marker for each batch that is open, or closed with nobody told of it yet: what has to be carried on is found at a
 * cost in proportion to it, however many batches there were.
 */

/** Marks a batch as open, before anything else of it is written; once is as good as often. */
export async function markOpen(results: Bucket, batch: string): Promise<void> {
  if (!(await isMarked(results, batch)))
    await results.put(openKey(batch), '{}', { contentType: 'application/json' })
}

/** Takes the marker away, once a batch is closed and its end was told. */
export const markClosed = (results: Bucket, batch: string): Promise<void> => results.delete(openKey(batch))

export const isMarked = async (results: Bucket, batch: string): Promise<boolean> =>
  (await results.head(openKey(batch))) !== undefined

/** The ids of all batches that are marked as open, the uploads of days among them. */
export async function* listOpen(results: Bucket): AsyncGenerator<string> {
  for await (const { key } of results.list({ prefix: openPrefix })) yield key.slice(openPrefix.length)
}
