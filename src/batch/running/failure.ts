import { StorageError } from '../../errors'
import type { ImageRecord } from '../../schema'
import type { Bucket } from '../../storage/store'
import { mayBeShared } from '../records/record'
import { openBatch } from '../state/batch'
import { recordsPrefix } from '../state/layout'
import type { Context } from '../state/platform'

/** A failure that is no image's: of keys, buckets, or the model. */
export interface Failure {
  code: string
  message: string
}

/** So many images that all fail alike do not fail for reasons of their own. */
const alike = 4

/** What keeps one image from being read may keep all of them. */
const ofKeysOrBuckets = ['access_denied', 'download_failed']

/** A failure, and how many of the images before it have records that count. */
interface Failed {
  failure: Failure
  done: number
}

/**
 * The failure of images that were classified together, where it is not theirs.
 * @param context where not all of them fail alike, or too few to tell, one of them is read once more, and one that was read
 *   before; without it, the failure is theirs
 */
export async function failureOf(images: ImageRecord[], context?: Context): Promise<Failed | undefined> {
  const [first] = images
  const isSame = ({ error }: ImageRecord) => error?.code === first?.error?.code && mayBeShared(error)
  if (first?.error && images.length >= alike && images.every(isSame)) return failed(first.error, 0)
  const done = images.findIndex(
    ({ error }) => error && !error.retryable && ofKeysOrBuckets.includes(error.code),
  )
  const unread = images[done]
  if (!context || !unread?.error || (await isItsOwn(unread, images, context))) return undefined
  return failed(unread.error, done)
}

const failed = ({ code, message }: Failure, done: number): Failed => ({ failure: { code, message }, done })

/** Whether an image is the one that cannot be read, and not all of its bucket. The order tells what was repaired meanwhile. */
async function isItsOwn({ bucket, key, model }: ImageRecord, others: ImageRecord[], context: Context) {
  const images = context.store.bucket(bucket)
  const sample =
    others.find(({ status }) => status === 'ok')?.key ?? (await anyRead(context.results, model, bucket))
  const isAllowed = await (sample === undefined ? isListable(images) : isReadable(images, sample))
  return isAllowed && !(await isReadable(images, key))
}

/** The key of an image of the bucket that has a record, if there is one. */
async function anyRead(results: Bucket, model: string, bucket: string): Promise<string | undefined> {
  const prefix = recordsPrefix(model, bucket)
  for await (const { key } of results.list({ prefix })) return key.slice(prefix.length)
  return undefined
}

const isReadable = (images: Bucket, key: string): Promise<boolean> =>
  // Refused for its size, it is read no further.
  isAllowed(images.get(key, 1), ['object_too_large', 'object_not_found'])

const isListable = (images: Bucket): Promise<boolean> =>
  isAllowed(images.list({ prefix: '' })[Symbol.asyncIterator]().next())

/** @throws StorageError where the store fails in passing, and tells nothing */
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
 * Tells the holder of a batch of a failure, so that it stops the batch where the same comes again and again.
 * @param by the epoch in which the piece was given out: what fails late says nothing of what another holder, maybe after a
 *   repair, has given out
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
