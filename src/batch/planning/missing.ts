import { msOf } from '../../clock'
import { prefetched, readAhead } from '../../read-ahead'
import type { ImageRef } from '../../schema'
import { putIf } from '../../storage/compare-and-swap'
import type { Bucket, ObjectInfo } from '../../storage/store'
import { compareKeys, inOrder } from '../records/keys'
import { pairByKey } from '../records/ordered'
import { readRecord } from '../records/record'
import { dropNote, isResting } from '../records/retry'
import { recordKey, recordsPrefix, retryPrefix } from '../state/layout'

/** A record younger than its image by less than this is read before it is believed: clocks differ, uploads take time. */
const certainAfter = 15 * 60 * 1000

/** So many records are read at a time, where listings do not tell enough. */
const recordsAhead = 16

/** What a page of a listing holds at most: the next one is on its way when the first of these is looked at. */
const pageLength = 1_000

/** By what images count as done. */
export interface Look {
  modelVersion: string
  /** Records count for nothing. */
  force: boolean
  /** What failed in passing is left alone until its time has come. */
  rests: boolean
  /** Milliseconds since the epoch. */
  now: number
  /** Nothing may be written, not even what spares later walks a look. */
  readOnly?: boolean
  /** Where given, what was read of young images is remembered for later walks: the etags of image and record, by key. */
  fresh?: Map<string, string>
  isMeant(image: ObjectInfo): boolean
  /** Whether an image is to be done whatever its record says; keys have to be asked for in order. */
  isWanted?(key: string): Promise<boolean>
}

/** Which images are looked at. */
interface Walk extends Look {
  bucket: string
  prefixes: string[]
  /** The walk begins behind this key. */
  cursor: string
  /** The last key that the walk may come to. */
  lastKey?: string
}

/** What a walk came by: an image, or keys that only records have. */
export interface Step {
  /** Up to here nothing is left to be looked at. */
  cursor: string
  /** The image is meant. */
  listed: boolean
  /** The image is to be classified. */
  image?: ImageRef
  /** The record of an image that is gone. */
  gone?: string
}

interface Noted extends ObjectInfo {
  note?: ObjectInfo
}

/** An image with its record, as listings tell of them. */
export interface Found {
  bucket: string
  image?: Noted
  record?: ObjectInfo
}

/** Walks through images, their records and the notes of what failed, side by side: three listings in one order. */
export async function* walkImages(walk: Walk, images: Bucket, results: Bucket): AsyncGenerator<Step> {
  const { bucket, prefixes, modelVersion, cursor, lastKey } = walk
  const below = (root: string) => inOrder(keysBelow(results, root, prefixes, cursor))
  const source = prefetched(inOrder(keysBelow(images, '', prefixes, cursor), cursor), pageLength)
  const notes = () => below(retryPrefix(modelVersion, bucket))
  const forget = (key: string) => dropNote(results, modelVersion, { bucket, key })
  const noted = walk.rests ? withNotes(source, notes(), forget) : source
  const pairs = pairByKey<Noted, ObjectInfo>(
    noted,
    prefetched(below(recordsPrefix(modelVersion, bucket)), pageLength),
  )
  async function* found(): AsyncGenerator<Found> {
    for await (const [image, record] of pairs) yield { bucket, image, record }
  }
  for await (const { image, record, due } of look(walk, found(), results)) {
    if (!image) {
      if (record) yield { cursor: '', listed: false, gone: record.key }
      continue
    }
    if (lastKey !== undefined && compareKeys(image.key, lastKey) > 0) return
    yield { cursor: image.key, ...due }
  }
}

/** Whether an image is meant, and what of it is to be classified. */
type Due = Pick<Step, 'listed' | 'image'>

/** Compares images with their records, of which a few are read ahead. @returns for each, in order, whether it is due */
export async function* look<T extends Found>(
  asked: Look,
  found: AsyncIterable<T>,
  results: Bucket,
): AsyncGenerator<T & { due: Due }> {
  const { modelVersion, isMeant, isWanted = async () => false } = asked
  const seen = async (one: T) => {
    const { bucket, image, record } = one
    const meant = image !== undefined && isMeant(image)
    const fresh = meant && !asked.force && (await isFresh(asked, bucket, image, record, results))
    if (fresh && image.note) await dropNote(results, modelVersion, { bucket, key: image.key })
    return { one, meant, fresh }
  }
  for await (const { one, meant, fresh } of readAhead(found, recordsAhead, seen)) {
    if (!meant || !one.image) {
      yield { ...one, due: { listed: false } }
      continue
    }
    const { note, ...object } = one.image
    const image = { bucket: one.bucket, ...object }
    const rests = async () => note !== undefined && isResting(results, modelVersion, image, asked.now)
    const isDue = fresh ? await isWanted(image.key) : !(await rests())
    yield { ...one, due: { listed: true, ...(isDue && { image }) } }
  }
}

/** Has each image with its note. Notes of images that are gone are removed. */
async function* withNotes(
  images: AsyncIterable<ObjectInfo>,
  notes: AsyncIterable<ObjectInfo>,
  forget: (key: string) => Promise<void>,
): AsyncGenerator<Noted> {
  for await (const [image, note] of pairByKey(images, notes)) {
    if (image) yield { ...image, note }
    else await forget(note.key)
  }
}

/**
 * What lies below a folder that mirrors the images', under the keys of the images.
 * @param prefixes of the images' keys, in order; none begins with another one
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
  { modelVersion, now, readOnly, fresh }: Look,
  bucket: string,
  image: ObjectInfo,
  record: ObjectInfo | undefined,
  results: Bucket,
): Promise<boolean> {
  const ref = { bucket, key: image.key }
  // A record's key can be too long to be listed beside its image; that one is looked up.
  const listed = Buffer.byteLength(recordsPrefix(modelVersion, bucket) + image.key) <= 1024
  if (listed && !record) return false
  const uploadedAt = msOf(image.lastModified)
  if (record && msOf(record.lastModified) - uploadedAt > certainAfter) return true
  const [name, etags] = [`${modelVersion}/${bucket}/${image.key}`, `${image.etag} ${record?.etag}`]
  if (record && fresh?.get(name) === etags) return true
  const known = await readRecord(results, modelVersion, ref)
  if (known?.etag !== image.etag) return false
  if (record) fresh?.set(name, etags)
  // Classified right after its upload: the record is written once more, and from then on a listing tells enough.
  if (record && !readOnly && now - uploadedAt > certainAfter)
    await putIf(results, recordKey(modelVersion, ref), JSON.stringify(known), record.etag)
  return true
}
