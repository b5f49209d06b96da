import { isoOf, msOf } from '../../clock'
import type { ErrorCode, ImageErrorCode } from '../../error-codes'
import { ImageError, messageOf, StorageError } from '../../errors'
import { type ImageRecord, type ImageRef, recordSchema } from '../../schema'
import { compareAndSwap } from '../../storage/compare-and-swap'
import type { Bucket } from '../../storage/store'
import { recordKey } from '../state/layout'
import { type Context, unlessRefused } from '../state/platform'

/** A download older than this is checked against the source before its record is believed. */
const trustDownloadFor = 10 * 60 * 1000

/** Failures to read an image that say nothing of others: it is not there, or kept in a way in which it cannot be read. */
const ofTheObject = ['image_missing', 'object_archived', 'object_encrypted']

/** Failures to read an image: they may be mended without touching it, and then no listing shows that it is to be redone. */
const unread = ['access_denied', 'download_failed', ...ofTheObject]

/** The record of an image of which nothing is known yet but what its listing or event said. */
export const unknownRecord = (
  image: ImageRef,
  made: Pick<ImageRecord, 'model' | 'engine' | 'activationId'> & {
    /** Milliseconds since the epoch. */
    at: number
  },
): ImageRecord => ({
  schema: 'whisklens.record/1',
  bucket: image.bucket,
  key: image.key,
  etag: image.etag ?? null,
  size: image.size ?? null,
  lastModified: image.lastModified ?? null,
  model: made.model,
  engine: made.engine,
  status: 'error',
  labels: [],
  width: null,
  height: null,
  format: null,
  timings: { download: 0, decode: 0, infer: 0 },
  activationId: made.activationId,
  at: isoOf(made.at),
})

/** What a failure of the store is to an image; any other is that of its download. */
const ofStorage: Partial<Record<ErrorCode, ImageErrorCode>> = {
  object_archived: 'object_archived',
  object_encrypted: 'object_encrypted',
  access_denied: 'access_denied',
  object_too_large: 'image_too_large',
}

/** What an error record says of anything thrown while an image was worked on. */
export function errorOf(thrown: unknown): NonNullable<ImageRecord['error']> & { code: ImageErrorCode } {
  if (thrown instanceof ImageError) {
    const { code, message, retryable } = thrown
    return { code, message, retryable, attempts: 1 }
  }
  if (thrown instanceof StorageError) {
    const { code, message, retryable } = thrown
    if (code === 'object_not_found') return { code: 'image_missing', message, retryable, attempts: 1 }
    return { code: ofStorage[code] ?? 'download_failed', message, retryable, attempts: 1 }
  }
  return { code: 'internal', message: messageOf(thrown), retryable: true, attempts: 1 }
}

/** How many records are of classified images, and how many of failures. */
export function outcomesOf(records: ImageRecord[]): { ok: number; error: number } {
  const ok = records.filter(({ status }) => status === 'ok').length
  return { ok, error: records.length - ok }
}

const parseRecord = (body: string): ImageRecord | undefined => {
  try {
    return recordSchema.parse(JSON.parse(body))
  } catch {
    // A record that cannot be read is as good as none: it is written anew.
    return undefined
  }
}

/** Whether a record is kept as its image's newest: without one, the next batch tries the image again. */
export const leavesRecord = ({ error }: ImageRecord): boolean =>
  !(error && (error.retryable || unread.includes(error.code)))

/** Whether images that all fail with an error may do so for one reason: their keys, their bucket, or what passes. */
export const mayBeShared = (error: ImageRecord['error']): boolean =>
  error !== undefined &&
  (error.retryable || (unread.includes(error.code) && !ofTheObject.includes(error.code)))

/** The newest record of an image, if there is one. */
export async function readRecord(results: Bucket, model: string, image: Pick<ImageRef, 'bucket' | 'key'>) {
  const found = await results.find(recordKey(model, image))
  return found && parseRecord(found.body.toString('utf8'))
}

/**
 * Makes a record the newest of its image, unless the image has changed since or the failure may pass.
 * @returns whether the record was written
 */
export async function writeRecord(
  context: Pick<Context, 'store' | 'results' | 'clock' | 'random'>,
  record: ImageRecord,
): Promise<boolean> {
  if (!leavesRecord(record)) return false
  const { store, results, clock } = context
  const body = JSON.stringify(record)
  const written = await compareAndSwap(
    results,
    recordKey(record.model, record),
    {
      // Most images are new: writing without a look first takes one request instead of two.
      known: null,
      change: async (current) => {
        const known = current && parseRecord(current.body)
        const isOld = clock.now() - msOf(record.at) > trustDownloadFor
        const isDoubtful = isOld || (known !== undefined && known.etag !== record.etag)
        return isDoubtful && !(await isCurrent(store.bucket(record.bucket), record)) ? undefined : body
      },
      isOwn: (found) => found === body,
    },
    context,
  )
  return written?.written ?? false
}

/** Whether a record is of the image's current version; it is not believed where the source refuses to tell. */
async function isCurrent(images: Bucket, { key, etag }: ImageRecord): Promise<boolean> {
  const found = await unlessRefused(images.head(key), 'refused')
  return found !== 'refused' && (found?.etag ?? null) === etag
}
