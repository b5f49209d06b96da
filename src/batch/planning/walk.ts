import { msOf } from '../../clock'
import { prefetched, readAhead } from '../../read-ahead'
import type { ImageRef } from '../../schema'
import { putIf } from '../../storage/compare-and-swap'
import type { Bucket, ObjectInfo } from '../../storage/store'
import { compareKeys, inOrder } from '../records/keys'
import { pairByKey } from '../records/ordered'
import { readRecord } from '../records/record'
import { dropNote, isBackingOff } from '../records/retry'
import { recordKey, recordsPrefix, retryPrefix } from '../state/layout'

/**
 * Records written sooner than this after their image are read and compared by etag: clocks differ, uploads take time.
 */
const certainAfter = 15 * 60 * 1000

/** Records read at once where listings are not conclusive. */
const recordsAhead = 16

/** The next page of a listing is requested when the first key of one is used. */
const pageLength = 1_000

/** What decides whether an image is due. */
export interface DueRules {
  modelVersion: string
  /** Ignore existing records. */
  force: boolean
  /** Failed images wait for the backoff in their retry note. */
  backsOff: boolean
  /** Milliseconds since the epoch. */
  now: number
  /** Write nothing, not even refreshed records. */
  readOnly?: boolean
  /** Etags of images and records already compared, by key; spares later walks the read. */
  fresh?: Map<string, string>
  isSelected(image: ObjectInfo): boolean
  /** Whether to redo an image despite its record. Called in the order of keys. */
  isRetried?(key: string): Promise<boolean>
}

interface Walk extends DueRules {
  bucket: string
  prefixes: string[]
  /** Start after this key. */
  cursor: string
  /** The last key of the walk. */
  lastKey?: string
}

/** One step of a walk: an image, or records without one. */
export interface Step {
  /** Everything up to here has been handled. */
  cursor: string
  /** The image passes the filters. */
  listed: boolean
  /** The image is due. */
  image?: ImageRef
  /** The key of a record whose image is gone. */
  gone?: string
}

interface NotedImage extends ObjectInfo {
  note?: ObjectInfo
}

/** An image and its record, as listed. */
export interface ImageAndRecord {
  bucket: string
  image?: NotedImage
  record?: ObjectInfo
}

/** Walks images, records and retry notes in key order: a merge of three listings. */
export async function* walkImages(walk: Walk, images: Bucket, results: Bucket): AsyncGenerator<Step> {
  const { bucket, prefixes, modelVersion, cursor, lastKey } = walk
  const below = (root: string) => inOrder(keysBelow(results, root, prefixes, cursor))
  const source = prefetched(inOrder(keysBelow(images, '', prefixes, cursor), cursor), pageLength)
  const notes = () => below(retryPrefix(modelVersion, bucket))
  const forget = (key: string) => dropNote(results, modelVersion, { bucket, key })
  const noted = walk.backsOff ? withNotes(source, notes(), forget) : source
  const pairs = pairByKey<NotedImage, ObjectInfo>(
    noted,
    prefetched(below(recordsPrefix(modelVersion, bucket)), pageLength),
  )
  async function* found(): AsyncGenerator<ImageAndRecord> {
    for await (const [image, record] of pairs) yield { bucket, image, record }
  }
  for await (const { image, record, due } of decideDue(walk, found(), results)) {
    if (!image) {
      if (record) yield { cursor: '', listed: false, gone: record.key }
      continue
    }
    if (lastKey !== undefined && compareKeys(image.key, lastKey) > 0) return
    yield { cursor: image.key, ...due }
  }
}

/** Whether an image passes the filters, and the image if it is due. */
type Due = Pick<Step, 'listed' | 'image'>

/** Decides which images are due, reading some records ahead. @returns each item in order, with the decision */
export async function* decideDue<T extends ImageAndRecord>(
  rules: DueRules,
  found: AsyncIterable<T>,
  results: Bucket,
): AsyncGenerator<T & { due: Due }> {
  const { modelVersion, isSelected, isRetried = async () => false } = rules
  const check = async (one: T) => {
    const { bucket, image, record } = one
    const selected = image !== undefined && isSelected(image)
    const fresh = selected && !rules.force && (await isFresh(rules, bucket, image, record, results))
    if (fresh && image.note) await dropNote(results, modelVersion, { bucket, key: image.key })
    return { one, selected, fresh }
  }
  for await (const { one, selected, fresh } of readAhead(found, recordsAhead, check)) {
    if (!selected || !one.image) {
      yield { ...one, due: { listed: false } }
      continue
    }
    const { note, ...object } = one.image
    const image = { bucket: one.bucket, ...object }
    const isDelayed = async () => note !== undefined && isBackingOff(results, modelVersion, image, rules.now)
    const isDue = fresh ? await isRetried(image.key) : !(await isDelayed())
    yield { ...one, due: { listed: true, ...(isDue && { image }) } }
  }
}

/** Adds the retry note to each image. Removes notes whose image is gone. */
async function* withNotes(
  images: AsyncIterable<ObjectInfo>,
  notes: AsyncIterable<ObjectInfo>,
  forget: (key: string) => Promise<void>,
): AsyncGenerator<NotedImage> {
  for await (const [image, note] of pairByKey(images, notes)) {
    if (image) yield { ...image, note }
    else await forget(note.key)
  }
}

/**
 * Lists the objects under a folder that mirrors the images, named by the images' keys.
 * @param prefixes of the images' keys, sorted; none is a prefix of another
 */
export async function* keysBelow(
  bucket: Bucket,
  root: string,
  prefixes: string[],
  cursor: string,
): AsyncGenerator<ObjectInfo> {
  for (const prefix of prefixes) {
    const listing = bucket.list({ prefix: root + prefix, startAfter: cursor ? root + cursor : undefined })
    for await (const object of listing) yield { ...object, key: object.key.slice(root.length) }
  }
}

async function isFresh(
  { modelVersion, now, readOnly, fresh }: DueRules,
  bucket: string,
  image: ObjectInfo,
  record: ObjectInfo | undefined,
  results: Bucket,
): Promise<boolean> {
  const ref = { bucket, key: image.key }
  // A record with a long key lies elsewhere and is not in this listing; it is read instead.
  const listed = Buffer.byteLength(recordsPrefix(modelVersion, bucket) + image.key) <= 1024
  if (listed && !record) return false
  const uploadedAt = msOf(image.lastModified)
  if (record && msOf(record.lastModified) - uploadedAt > certainAfter) return true
  const [name, etags] = [`${modelVersion}/${bucket}/${image.key}`, `${image.etag} ${record?.etag}`]
  if (record && fresh?.get(name) === etags) return true
  const known = await readRecord(results, modelVersion, ref)
  if (known?.etag !== image.etag) return false
  if (record) fresh?.set(name, etags)
  // Classified right after its upload: rewrite the record, so that its time alone proves it fresh from now on.
  if (record && !readOnly && now - uploadedAt > certainAfter)
    await putIf(results, recordKey(modelVersion, ref), JSON.stringify(known), record.etag)
  return true
}
