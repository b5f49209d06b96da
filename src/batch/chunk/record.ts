import { ImageError, messageOf, StorageError } from '../../errors'
import { type ImageRecord, type ImageRef, recordSchema } from '../../schema'
import { putIf } from '../../storage/put-once'
import type { Bucket, Store, StoredObject } from '../../storage/store'
import { recordKey } from '../layout'

/** A download older than this is checked against the source before its record is believed. */
const trustDownloadFor = 10 * 60 * 1000

/** Failures to read an image: they may be mended without touching it, and then no listing shows that it is to be redone. */
const unread = ['access_denied', 'object_not_found', 'download_failed']

/** Other writers of the same record win a race at most this often before we give up. */
const maxRaces = 10

/** The record of an image of which nothing is known yet but what its listing or event said. */
export const unknownRecord = (
  image: ImageRef,
  made: Pick<ImageRecord, 'model' | 'engine' | 'activationId'> & { at: Date },
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
  at: made.at.toISOString(),
})

/** What an error record says of anything thrown while an image was worked on. */
export function errorOf(thrown: unknown): NonNullable<ImageRecord['error']> {
  if (thrown instanceof ImageError) {
    const { code, message, retryable } = thrown
    return { code, message, retryable, attempts: 1 }
  }
  if (thrown instanceof StorageError) {
    const code = {
      object_not_found: 'object_not_found',
      access_denied: 'access_denied',
      object_too_large: 'image_too_large',
    }[thrown.code]
    return {
      code: code ?? 'download_failed',
      message: thrown.message,
      retryable: thrown.retryable,
      attempts: 1,
    }
  }
  return { code: 'internal', message: messageOf(thrown), retryable: true, attempts: 1 }
}

const parseRecord = (body: Buffer): ImageRecord | undefined => {
  try {
    return recordSchema.parse(JSON.parse(body.toString('utf8')))
  } catch {
    // A record that nobody can read is as good as none: it is written anew.
    return undefined
  }
}

/** Whether a record is kept as its image's newest: without one, the next batch tries the image again. */
export const leavesRecord = ({ error }: ImageRecord): boolean =>
  !(error && (error.retryable || unread.includes(error.code)))

/** The newest record of an image, if there is one. */
export async function readRecord(results: Bucket, model: string, image: Pick<ImageRef, 'bucket' | 'key'>) {
  const found = await results.find(recordKey(model, image))
  return found && parseRecord(found.body)
}

/**
 * Makes a record the newest of its image, unless the image has changed since or the failure may pass.
 * @returns whether the record was written
 */
export async function writeRecord(store: Store, results: Bucket, record: ImageRecord): Promise<boolean> {
  if (!leavesRecord(record)) return false
  const key = recordKey(record.model, record)
  const body = JSON.stringify(record)
  // Most images are new: writing without a look first takes one request instead of two.
  let existing: StoredObject | undefined
  for (let race = 0; race < maxRaces; race++) {
    const known = existing && parseRecord(existing.body)
    const old = Date.now() - Date.parse(record.at) > trustDownloadFor
    if ((old || (known && known.etag !== record.etag)) && !(await isCurrent(store, record))) return false
    if ((await putIf(results, key, body, existing ? existing.etag : null)) !== undefined) return true
    existing = await results.find(key)
    // A request whose answer got lost was sent again, and met what it had written itself.
    if (existing?.body.toString('utf8') === body) return true
  }
  throw new StorageError(
    'precondition_failed',
    412,
    `Could not write s3://${results.name}/${key}: others kept changing it`,
    {
      retryable: true,
    },
  )
}

/** Whether a record is of the image's current version; it is not believed where the source refuses to tell. */
async function isCurrent(store: Store, { bucket, key, etag }: ImageRecord): Promise<boolean> {
  try {
    const current = await store.bucket(bucket).head(key)
    return (current?.etag ?? null) === etag
  } catch (thrown) {
    if (thrown instanceof StorageError && !thrown.retryable) return false
    throw thrown
  }
}
