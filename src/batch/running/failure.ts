import { StorageError } from '../../errors'
import type { ImageRecord } from '../../schema'
import type { Bucket } from '../../storage/store'
import { mayBeShared } from '../records/record'
import { openBatch } from '../state/batch'
import { recordsPrefix } from '../state/layout'
import type { Context } from '../state/platform'

/** A failure of the store or the model, which no single image causes. */
export interface Failure {
  code: string
  message: string
}

/** This many images failing alike have a common cause. */
const minAlike = 4

/** Codes that may concern one object or the whole bucket. */
const accessErrors = ['access_denied', 'download_failed']

/** A failure, and how many images before it have valid records. */
interface Failed {
  failure: Failure
  done: number
}

/**
 * The common failure of images that were classified together, if there is one.
 * @param context used to probe an image again, along with a known good one, when the records alone do not tell; without
 * it, failures are attributed to images
 */
export async function failureOf(images: ImageRecord[], context?: Context): Promise<Failed | undefined> {
  const [first] = images
  const isSame = ({ error }: ImageRecord) => error?.code === first?.error?.code && mayBeShared(error)
  if (first?.error && images.length >= minAlike && images.every(isSame)) return failed(first.error, 0)
  const done = images.findIndex(({ error }) => error && !error.retryable && accessErrors.includes(error.code))
  const unread = images[done]
  if (!context || !unread?.error || (await concernsOneImage(unread, images, context))) return undefined
  return failed(unread.error, done)
}

const failed = ({ code, message }: Failure, done: number): Failed => ({ failure: { code, message }, done })

/**
 * Whether one object is unreadable rather than its bucket. Tests the bucket first: a repair in between counts as
 * shared.
 */
async function concernsOneImage(
  { bucket, key, model }: ImageRecord,
  others: ImageRecord[],
  context: Context,
) {
  const images = context.store.bucket(bucket)
  const sample =
    others.find(({ status }) => status === 'ok')?.key ??
    (await anyClassifiedKey(context.results, model, bucket))
  const isAllowed = await (sample === undefined ? isListable(images) : isReadable(images, sample))
  return isAllowed && !(await isReadable(images, key))
}

/** The key of any image in the bucket that has a record. */
async function anyClassifiedKey(results: Bucket, model: string, bucket: string): Promise<string | undefined> {
  const prefix = recordsPrefix(model, bucket)
  for await (const { key } of results.list({ prefix })) return key.slice(prefix.length)
  return undefined
}

const isReadable = (images: Bucket, key: string): Promise<boolean> =>
  // A limit of one byte: a refusal for size proves that access works.
  isAllowed(images.get(key, 1), ['object_too_large', 'object_not_found'])

const isListable = (images: Bucket): Promise<boolean> =>
  isAllowed(images.list({ prefix: '' })[Symbol.asyncIterator]().next())

/** @throws StorageError for a transient failure, which proves nothing */
async function isAllowed(asked: Promise<unknown>, answers: string[] = []): Promise<boolean> {
  try {
    await asked
    return true
  } catch (thrown) {
    if (!(thrown instanceof StorageError) || thrown.retryable) throw thrown
    return answers.includes(thrown.code)
  }
}

/**
 * Counts a failure in the batch document; its holder stops the batch after several equal ones in a row.
 * @param by epoch of the dispatch: a late failure does not count against pieces that another holder dispatched, perhaps
 * after a repair
 */
export async function noteFailure(
  batch: string,
  by: number,
  failure: Failure,
  context: Context,
): Promise<void> {
  await openBatch(context, batch).update((current) => {
    if (!current || current.lease.epoch !== by || 'outcome' in current) return undefined
    const count = current.failure?.code === failure.code ? current.failure.count + 1 : 1
    return { ...current, failure: { ...failure, count } }
  })
}
