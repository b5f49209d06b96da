import * as z from 'zod'
import { msOf } from '../../clock'
import type { ImageRecord, ImageRef } from '../../schema'
import type { Bucket } from '../../storage/store'
import { retryKey } from '../state/layout'
import type { Context } from '../state/platform'
import { leavesRecord, writeRecord } from './record'

/*
 * Retryable failures leave no record, so each walk of a watched bucket would find the image due. A note under `retry/`,
 * in the order of the images' keys, delays the next attempt with growing backoff. A batch that is fired ignores it.
 */

const noteSchema = z.strictObject({
  etag: z.string().nullable(),
  tries: z.int().positive(),
  /** When the last attempt began, ISO 8601. */
  at: z.string(),
})
type Note = z.infer<typeof noteSchema>

/** Backoff before the next attempt, milliseconds; doubles each time. */
const minBackoff = 20 * 60_000
const maxBackoff = 24 * 60 * 60_000

async function read(results: Bucket, model: string, image: Pick<ImageRef, 'bucket' | 'key'>) {
  const found = await results.find(retryKey(model, image))
  if (!found) return undefined
  const { data } = noteSchema.safeParse(JSON.parse(found.body.toString('utf8')))
  return data
}

/** Notes a retryable failure of an image version. If two race, one failure counts for both. */
async function note(results: Bucket, record: ImageRecord): Promise<void> {
  const { model, etag, at } = record
  const before = await read(results, model, record)
  if (before?.at === at) return
  const tries = before?.etag === etag ? before.tries + 1 : 1
  const noted: Note = { etag, tries, at }
  await results.put(retryKey(model, record), JSON.stringify(noted), { contentType: 'application/json' })
}

/** Removes the note of an image that is classified or gone, which resets its backoff. */
export const dropNote = (results: Bucket, model: string, image: Pick<ImageRef, 'bucket' | 'key'>) =>
  results.delete(retryKey(model, image))

/** Stores an image's record, or a retry note for a retryable failure. */
export async function storeRecord(
  context: Pick<Context, 'store' | 'results' | 'clock' | 'random'>,
  record: ImageRecord,
): Promise<void> {
  if (leavesRecord(record)) await writeRecord(context, record)
  // A missing image that only a list names appears in no listing, so no walk would use a note.
  else if (record.error?.code !== 'image_missing' || record.etag) await note(context.results, record)
}

/** Whether an image version is still backing off. @param now milliseconds since the epoch */
export async function isBackingOff(
  results: Bucket,
  model: string,
  image: ImageRef,
  now: number,
): Promise<boolean> {
  const noted = await read(results, model, image)
  if (!noted || noted.etag !== (image.etag ?? null)) return false
  return msOf(noted.at) + Math.min(minBackoff * 2 ** (noted.tries - 1), maxBackoff) > now
}
