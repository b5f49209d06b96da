import * as z from 'zod'
import { msOf } from '../../clock'
import type { ImageRecord, ImageRef } from '../../schema'
import type { Bucket } from '../../storage/store'
import { retryKey } from '../state/layout'
import type { Context } from '../state/platform'
import { leavesRecord, writeRecord } from './record'

/*
 * What fails for a reason that may pass leaves no record, and would be found missing by every look at the bucket. So it
 * is noted under `retry/`, in the order of the images' keys, and rests for longer and longer. Only looks at
 * watched buckets let it rest: a batch that is fired tries it at once.
 */

const noteSchema = z.strictObject({
  etag: z.string().nullable(),
  tries: z.int().positive(),
  /** When the last one began, ISO 8601. */
  at: z.string(),
})
type Note = z.infer<typeof noteSchema>

/** Before an image is tried again, milliseconds; doubles from one time to the next. */
const firstPause = 20 * 60_000
const longestPause = 24 * 60 * 60_000

async function read(results: Bucket, model: string, image: Pick<ImageRef, 'bucket' | 'key'>) {
  const found = await results.find(retryKey(model, image))
  if (!found) return undefined
  const { data } = noteSchema.safeParse(JSON.parse(found.body.toString('utf8')))
  return data
}

/** Notes that a version of an image failed in passing. Lost in a race of two, one failure counts for both. */
async function note(results: Bucket, record: ImageRecord): Promise<void> {
  const { model, etag, at } = record
  const before = await read(results, model, record)
  if (before?.at === at) return
  const tries = before?.etag === etag ? before.tries + 1 : 1
  const noted: Note = { etag, tries, at }
  await results.put(retryKey(model, record), JSON.stringify(noted), { contentType: 'application/json' })
}

/** Removes the note of an image that is classified or gone: its next failure is the first again. */
export const dropNote = (results: Bucket, model: string, image: Pick<ImageRef, 'bucket' | 'key'>) =>
  results.delete(retryKey(model, image))

/** Keeps what became of an image: as its newest record, or as a note that it is to be tried again. */
export async function keepRecord(
  context: Pick<Context, 'store' | 'results' | 'clock' | 'random'>,
  record: ImageRecord,
): Promise<void> {
  if (leavesRecord(record)) await writeRecord(context, record)
  // What only a list names, and no listing, is found by none of these looks.
  else if (record.error?.code !== 'image_missing' || record.etag) await note(context.results, record)
}

/** Whether a version of an image that has a note is to be left alone at a time, milliseconds since the epoch. */
export async function isResting(
  results: Bucket,
  model: string,
  image: ImageRef,
  now: number,
): Promise<boolean> {
  const noted = await read(results, model, image)
  if (!noted || noted.etag !== (image.etag ?? null)) return false
  return msOf(noted.at) + Math.min(firstPause * 2 ** (noted.tries - 1), longestPause) > now
}
