import { isoOf, msOf } from '../../clock'
import type { ErrorCode, ImageErrorCode } from '../../error-codes'
import { ImageError, messageOf, StorageError } from '../../errors'
import { type ImageRecord, type ImageRef, recordSchema } from '../../schema'
import { compareAndSwap } from '../../storage/compare-and-swap'
import type { Bucket } from '../../storage/store'
import { recordKey } from '../state/layout'
import { type Context, unlessRefused } from '../state/platform'

/** The etag of an older download is checked against the source before its record is written. */
const trustDownloadFor = 10 * 60 * 1000

/** Read failures of a single image: it is missing, archived or encrypted. */
const singleImageErrors = ['image_missing', 'object_archived', 'object_encrypted']

/** Read failures that may be fixed without changing the image, so that no listing would show it as stale. */
const readErrors = ['access_denied', 'download_failed', ...singleImageErrors]

/** The initial record of an image: an error, with what its listing or event says. */
export const initialRecord = (
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

/** Storage error codes as image error codes; all others become `download_failed`. */
const imageErrorOf: Partial<Record<ErrorCode, ImageErrorCode>> = {
  object_archived: 'object_archived',
  object_encrypted: 'object_encrypted',
  access_denied: 'access_denied',
  object_too_large: 'image_too_large',
}

/** Converts anything thrown during classification to the error of a record. */
export function errorOf(thrown: unknown): NonNullable<ImageRecord['error']> & { code: ImageErrorCode } {
  if (thrown instanceof ImageError) {
    const { code, message, retryable } = thrown
    return { code, message, retryable, attempts: 1 }
  }
  if (thrown instanceof StorageError) {
    const { code, message, retryable } = thrown
    if (code === 'object_not_found') return { code: 'image_missing', message, retryable, attempts: 1 }
    return { code: imageErrorOf[code] ?? 'download_failed', message, retryable, attempts: 1 }
  }
  return { code: 'internal', message: messageOf(thrown), retryable: true, attempts: 1 }
}

/** Counts successes and failures. */
export function outcomesOf(records: ImageRecord[]): { ok: number; error: number } {
  const ok = records.filter(({ status }) => status === 'ok').length
  return { ok, error: records.length - ok }
}

const parseRecord = (body: string): ImageRecord | undefined => {
  try {
    return recordSchema.parse(JSON.parse(body))
  } catch {
    // An unreadable record counts as none and is rewritten.
    return undefined
  }
}

/** Whether a record is stored as its image's newest. Otherwise the next batch tries the image again. */
export const leavesRecord = ({ error }: ImageRecord): boolean =>
  !(error && (error.retryable || readErrors.includes(error.code)))

/** Whether other images may fail for the same reason: access to a bucket, or a transient failure. */
export const mayBeShared = (error: ImageRecord['error']): boolean =>
  error !== undefined &&
  (error.retryable || (readErrors.includes(error.code) && !singleImageErrors.includes(error.code)))

/** The newest record of an image, if any. */
export async function readRecord(results: Bucket, model: string, image: Pick<ImageRef, 'bucket' | 'key'>) {
  const found = await results.find(recordKey(model, image))
  return found && parseRecord(found.body.toString('utf8'))
}

/**
 * Stores a record as its image's newest, unless the image has changed since or the failure is retryable.
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
      // Most images are new: writing without reading first takes one request instead of two.
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

/** Whether a record describes the image's current version; false when the source refuses access. */
async function isCurrent(images: Bucket, { key, etag }: ImageRecord): Promise<boolean> {
  const found = await unlessRefused(images.head(key), 'refused')
  return found !== 'refused' && (found?.etag ?? null) === etag
}
