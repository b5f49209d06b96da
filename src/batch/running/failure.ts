import type { ImageRecord } from '../../schema'
import { leavesRecord } from '../records/record'
import { openBatch } from '../state/batch'
import type { Context } from '../state/platform'

/** A failure that is no image's: of keys, buckets, or the model. */
export interface Failure {
  code: string
  message: string
}

/** So many images that all fail alike do not fail for reasons of their own. */
const alike = 4

/** What keeps one image from being read may keep all of them: a second attempt tells. */
const ofKeysOrBuckets = ['access_denied', 'download_failed']

/**
 * The failure of a whole piece, where none of its images could be read and all for one reason.
 * @param isFirst it is the first attempt at this piece
 */
export function failureOf(images: ImageRecord[], isFirst = false): Failure | undefined {
  const [first] = images
  if (!first?.error) return undefined
  const { code, message, retryable } = first.error
  const enough = isFirst && !retryable && ofKeysOrBuckets.includes(code) ? 1 : alike
  const isAlike = images.every((record) => record.error?.code === code && !leavesRecord(record))
  return isAlike && images.length >= enough ? { code, message } : undefined
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
