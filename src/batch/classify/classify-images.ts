import pLimit from 'p-limit'
import { classifyImage, recordLabels } from '../../classifier/classify'
import { collectGarbage, isMemoryScarce } from '../../classifier/container-memory'
import type { LoadedModel } from '../../classifier/load'
import { ImageError, StorageError, WhisklensError } from '../../errors'
import { maxImageBytes } from '../../image-files'
import type { ExifOption, ImageRecord, ImageRef, Thumbnail } from '../../schema'
import type { Bucket, Store } from '../../storage/store'
import { errorOf, unknownRecord } from '../records/record'
import { openThumbnails, type Thumbnails } from './thumbnails'

/** So many images are at work at a time: in the engine, decoded, downloaded. Their files take memory. */
const lookAhead = isMemoryScarce ? 2 : 4

/** Objects larger than this wait for each other, so that those in memory at one time are not all of the largest. */
const largeObjectBytes = 8 * 1024 * 1024

/** A sequence passes at most 1 MiB on; the rest of the message needs room too. */
const maxOutputBytes = 800 * 1024

/** The time a result needs to travel on, and that of one image that has just begun. */
const deadlineMargin = 10_000

/** Thumbnails that are not written so long before the deadline are left out. */
const thumbnailMargin = 5000

export interface ClassifyOptions {
  /** Images are downloaded while it is loaded. */
  model: LoadedModel | Promise<LoadedModel>
  store: Store
  activationId: string
  /** Milliseconds since the epoch. */
  deadline: number
  /** Whether what is left over goes into the output, too: nothing else knows of it. */
  handsOnRest?: boolean
  /** `position`: where photos were taken is kept. */
  exif?: ExifOption
  /** Where thumbnails are written; none are made without it. */
  thumbnails?: Bucket
}

/**
 * Classifies images of the object store, download and decoding running ahead of inference. Never throws for an image:
 * its failure is its record. Stops early, at an image's border, when the output grows too large or time runs out.
 * @throws WhisklensError when the model cannot be loaded, or does not work
 * @returns records of the first images, in order; fewer than `images` when it stopped early
 */
export async function classifyImages(images: ImageRef[], options: ClassifyOptions): Promise<ImageRecord[]> {
  const limit = pLimit(lookAhead)
  const oneByOne = pLimit(1)
  const stopAt = options.deadline - deadlineMargin
  const thumbnails =
    options.thumbnails && openThumbnails(options.thumbnails, options.deadline - thumbnailMargin)
  let outputBytes = options.handsOnRest ? bytesOf(images) : 0
  let failure: unknown
  const stop = (thrown: unknown): undefined => {
    failure ??= thrown
  }
  const classify = (image: ImageRef): Promise<ImageRecord> =>
    (image.size ?? 0) > largeObjectBytes
      ? oneByOne(() => classifyObject(image, options, thumbnails).finally(collectGarbage))
      : classifyObject(image, options, thumbnails)
  const records = await Promise.all(
    images.map((image, index) =>
      limit(async () => {
        if (failure) return undefined
        // At least one image is done each time, or a batch could run in place for ever.
        if (index > 0 && (outputBytes > maxOutputBytes || Date.now() > stopAt)) return undefined
        const record = await classify(image).catch(stop)
        if (!record) return undefined
        outputBytes += bytesOf(record) - (options.handsOnRest ? bytesOf(image) : 0)
        return record
      }),
    ),
  )
  if (failure) throw failure
  // The limiter starts images in order, so what was left out is a tail.
  const end = records.indexOf(undefined)
  const done = (end === -1 ? records : records.slice(0, end)) as ImageRecord[]
  const written = await thumbnails?.written()
  return done.map(({ thumbnail, ...record }) =>
    thumbnail && written?.has(thumbnail.key) ? { ...record, thumbnail } : record,
  )
}

/** As a part of a message, with what separates it from the next. */
const bytesOf = (value: object): number => Buffer.byteLength(JSON.stringify(value)) + 1

/** @throws WhisklensError when the model cannot be loaded or does not work, or the store is not trusted: no image's fault, and no image's record */
async function classifyObject(
  image: ImageRef,
  { model, store, activationId, exif }: ClassifyOptions,
  thumbnails?: Thumbnails,
): Promise<ImageRecord> {
  const at = Date.now()
  const [loading, downloading] = await Promise.allSettled([model, download(image, store)])
  if (loading.status === 'rejected') throw loading.reason
  const { folder, engine } = loading.value
  const record = unknownRecord(image, { model: folder.version, engine, activationId, at })
  try {
    if (downloading.status === 'rejected') throw downloading.reason
    const { body, etag, size, lastModified, ms } = downloading.value
    Object.assign(record, { etag, size, lastModified })
    record.timings.download = ms
    let thumbnail: Promise<Thumbnail | undefined> | undefined
    const { timings, ...classification } = await classifyImage(loading.value, body, recordLabels, {
      withPosition: exif === 'position',
      onSmall:
        thumbnails &&
        ((small) => {
          thumbnail = thumbnails.make(small, { ...image, etag })
        }),
    })
    Object.assign(record, classification, { status: 'ok' })
    Object.assign(record.timings, timings)
    record.thumbnail = await thumbnail
  } catch (thrown) {
    if (isNoImages(thrown)) throw thrown
    record.error = errorOf(thrown)
  }
  return record
}

/** A failure of the model, its engine or the settings, and a store that cannot be asked, say nothing of an image. */
const isNoImages = (thrown: unknown): boolean =>
  thrown instanceof StorageError
    ? thrown.code === 'tls_untrusted'
    : thrown instanceof WhisklensError && !(thrown instanceof ImageError)

async function download({ bucket, key }: ImageRef, store: Store) {
  const start = Date.now()
  const object = await store.bucket(bucket).get(key, maxImageBytes)
  return { ...object, ms: Date.now() - start }
}
