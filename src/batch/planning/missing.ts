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

/** Which images are looked at, and by what they count as done. */
interface Walk {
  bucket: string
  prefix: string
  modelVersion: string
  /** The walk begins behind this key. */
  cursor: string
  /** The last key that the walk may come to. */
  lastKey?: string
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

/** Walks through images, their records and the notes of what failed, side by side: three listings in one order. */
export async function* walkImages(walk: Walk, images: Bucket, results: Bucket): AsyncGenerator<Step> {
  const { bucket, prefix, modelVersion, cursor, lastKey, isMeant, isWanted = async () => false } = walk
  const below = (root: string) => inOrder(keysBelow(results, root, prefix, cursor))
  const source = prefetched(
    inOrder(images.list({ prefix, startAfter: cursor || undefined }), cursor),
    pageLength,
  )
  const notes = () => below(retryPrefix(modelVersion, bucket))
  const forget = (key: string) => dropNote(results, modelVersion, { bucket, key })
  const noted = walk.rests ? withNotes(source, notes(), forget) : source
  const pairs = pairByKey<Noted, ObjectInfo>(
    noted,
    prefetched(below(recordsPrefix(modelVersion, bucket)), pageLength),
  )
  const look = async ([image, record]: [Noted | undefined, ObjectInfo | undefined]) => {
    const meant = image !== undefined && isMeant(image)
    const fresh = meant && !walk.force && (await isFresh(walk, image, record, results))
    if (fresh && image.note) await forget(image.key)
    return { image, record, meant, fresh }
  }
  for await (const { image, record, meant, fresh } of readAhead(pairs, recordsAhead, look)) {
    if (!image) {
      if (record) yield { cursor: '', listed: false, gone: record.key }
      continue
    }
    if (lastKey !== undefined && compareKeys(image.key, lastKey) > 0) return
    const { note, ...object } = image
    const ref = { bucket, ...object }
    const rests = async () => note !== undefined && isResting(results, modelVersion, ref, walk.now)
    const isDue = meant && (fresh ? await isWanted(image.key) : !(await rests()))
    yield { cursor: image.key, listed: meant, ...(isDue && { image: ref }) }
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

/** A listing below a folder that mirrors the images', under the keys of the images. */
async function* keysBelow(
  results: Bucket,
  root: string,
  prefix: string,
  cursor: string,
): AsyncGenerator<ObjectInfo> {
  const listing = results.list({ prefix: root + prefix, startAfter: cursor && root + cursor })
  for await (const object of listing) yield { ...object, key: object.key.slice(root.length) }
}

async function isFresh(
  { modelVersion, bucket, now, readOnly, fresh }: Walk,
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
