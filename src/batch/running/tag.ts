import pLimit from 'p-limit'
import { messageOf, WhisklensError } from '../../errors'
import { log } from '../../log'
import type { ImageRecord } from '../../schema'
import { maxTags, mergeTags } from '../records/tags'
import type { Context } from '../state/platform'

const atOnce = 16

/** What an activation needs at its end to write its records, milliseconds. */
const writingTime = 60_000

/**
 * Writes what was found of images to their tags. Never throws: what cannot be tagged says so in its record.
 * @returns the records, those of classified images with what became of their tags
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

/** Looks at the image first: S3 tags whatever version is there, and the record is of the one that was read. */
async function writeTags(record: ImageRecord, { store, clock, activation }: Context): Promise<void> {
  const { bucket, key, etag } = record
  const what = `s3://${bucket}/${key} was not tagged`
  if (clock.now() > activation.deadline - writingTime)
    throw new WhisklensError('tagging_late', `${what}: the activation had no time left for it`)
  const images = store.bucket(bucket)
  if ((await images.head(key))?.etag !== etag)
    throw new WhisklensError('image_changed', `${what}: it is another version than was classified`)
  const there = await images.tags(key)
  const wanted = mergeTags(there, record)
  const count = Object.keys(wanted).length
  if (count > maxTags)
    throw new WhisklensError(
      'too_many_tags',
      `${what}: it would have ${count} tags, and S3 allows ${maxTags}`,
    )
  if (!isSame(there, wanted)) await images.putTags(key, wanted)
}

const isSame = (a: Record<string, string>, b: Record<string, string>): boolean =>
  Object.keys(a).length === Object.keys(b).length &&
  Object.entries(a).every(([key, value]) => b[key] === value)
