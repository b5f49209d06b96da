import pLimit from 'p-limit'
import { messageOf, WhisklensError } from '../../errors'
import { log } from '../../log'
import type { ImageRecord } from '../../schema'
import { maxTags, mergeTags } from '../records/tags'
import type { Context } from '../state/platform'

const atOnce = 16

/** Time reserved for writing records, milliseconds. */
const writeMargin = 60_000

/**
 * Writes labels to the images' tags. Never throws: a failure is reported in the record.
 * @returns the records, with the outcome of the tagging
 */
export async function tagImages(records: ImageRecord[], context: Context): Promise<ImageRecord[]> {
  const limit = pLimit(atOnce)
  return Promise.all(records.map((record) => limit(() => tagImage(record, context))))
}

async function tagImage(record: ImageRecord, context: Context): Promise<ImageRecord> {
  if (record.status === 'error') return record
  try {
    await writeTags(record, context)
    return { ...record, tagging: { status: 'ok' } }
  } catch (thrown) {
    const code = thrown instanceof WhisklensError ? thrown.code : 'internal'
    const message = messageOf(thrown)
    log.warn({ key: record.key, code, reason: message }, 'an image was not tagged')
    return { ...record, tagging: { status: 'error', code, message } }
  }
}

/** Compares etags first: S3 tags the current version, which may not be the classified one. */
async function writeTags(record: ImageRecord, { store, clock, activation }: Context): Promise<void> {
  const { bucket, key, etag } = record
  const what = `s3://${bucket}/${key} was not tagged`
  if (clock.now() > activation.deadline - writeMargin)
    throw new WhisklensError('tagging_late', `${what}: the activation ran out of time`)
  const images = store.bucket(bucket)
  if ((await images.head(key))?.etag !== etag)
    throw new WhisklensError('image_changed', `${what}: the object has changed since it was classified`)
  const current = await images.tags(key)
  const wanted = mergeTags(current, record)
  const count = Object.keys(wanted).length
  if (count > maxTags)
    throw new WhisklensError(
      'too_many_tags',
      `${what}: it would have ${count} tags, and S3 allows ${maxTags}`,
    )
  if (!isSame(current, wanted)) await images.putTags(key, wanted)
}

const isSame = (a: Record<string, string>, b: Record<string, string>): boolean =>
  Object.keys(a).length === Object.keys(b).length &&
  Object.entries(a).every(([key, value]) => b[key] === value)
