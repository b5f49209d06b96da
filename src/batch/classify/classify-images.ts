import pLimit from 'p-limit'
import { classifyImage, recordLabels } from '../../classifier/classify'
import { collectGarbage, isMemoryScarce } from '../../classifier/container-memory'
import type { LoadedModel } from '../../classifier/load'
import { ImageError, StorageError, WhisklensError } from '../../errors'
import { maxImageBytes } from '../../image-files'
import type { ExifOption, ImageRecord, ImageRef, Thumbnail } from '../../schema'
import type { Bucket, Store } from '../../storage/store'
import { errorOf, initialRecord } from '../records/record'
import { openThumbnails, type Thumbnails } from './thumbnails'

/** Images in flight at once: downloading, decoding or in the engine. Each holds its file in memory. */
const lookAhead = isMemoryScarce ? 2 : 4

/** Objects larger than this are classified one at a time, to bound memory. */
const largeObjectBytes = 8 * 1024 * 1024

/** A sequence passes on at most 1 MiB; the rest of the message needs room too. */
const maxOutputBytes = 800 * 1024

/** Time reserved for sending the result and finishing an image that has just begun, milliseconds. */
const deadlineMargin = 10_000

/** Thumbnails not written by this long before the deadline are dropped, milliseconds. */
const thumbnailMargin = 5000

export interface ClassifyOptions {
  /** May still be loading: images are downloaded meanwhile. */
  model: LoadedModel | Promise<LoadedModel>
  store: Store
  activationId: string
  /** Milliseconds since the epoch. */
  deadline: number
  /** The output also carries the images left over: no batch knows of them. */
  includesRest?: boolean
  /** `position` keeps where photos were taken. */
  exif?: ExifOption
  /** Where thumbnails are written; omitted, none are made. */
  thumbnails?: Bucket
}

/**
 * Classifies images of the object store, downloading and decoding ahead of inference. A failing image becomes an error
 * record and never throws. Stops early, between images, when the output grows too large or time runs out.
 * @throws WhisklensError when the model cannot be loaded or does not work
 * @returns records of the first images, in order; fewer than `images` when it stopped early
 */
export async function classifyImages(images: ImageRef[], options: ClassifyOptions): Promise<ImageRecord[]> {
  const limit = pLimit(lookAhead)
  const large = pLimit(1)
  const stopAt = options.deadline - deadlineMargin
  const thumbnails =
    options.thumbnails && openThumbnails(options.thumbnails, options.deadline - thumbnailMargin)
  let outputBytes = options.includesRest ? bytesOf(images) : 0
  let failure: unknown
  const stop = (thrown: unknown): undefined => {
    failure ??= thrown
  }
  const classify = (image: ImageRef): Promise<ImageRecord> =>
    (image.size ?? 0) > largeObjectBytes
      ? large(() => classifyObject(image, options, thumbnails).finally(collectGarbage))
      : classifyObject(image, options, thumbnails)
  const records = await Promise.all(
    images.map((image, index) =>
      limit(async () => {
        if (failure) return undefined
        // At least one image per activation, or the batch would never advance.
        if (index > 0 && (outputBytes > maxOutputBytes || Date.now() > stopAt)) return undefined
        const record = await classify(image).catch(stop)
        if (!record) return undefined
        outputBytes += bytesOf(record) - (options.includesRest ? bytesOf(image) : 0)
        return record
      }),
    ),
  )
  if (failure) throw failure
  // The limiter starts images in order, so those skipped form a tail.
  const end = records.indexOf(undefined)
  const done = (end === -1 ? records : records.slice(0, end)) as ImageRecord[]
  const written = await thumbnails?.written()
  return done.map(({ thumbnail, ...record }) =>
    thumbnail && written?.has(thumbnail.key) ? { ...record, thumbnail } : record,
  )
}

/** Size in a JSON message, separator included. */
const bytesOf = (value: object): number => Buffer.byteLength(JSON.stringify(value)) + 1

/**
 * @throws WhisklensError when the model fails or the store's certificate is not trusted: errors that no single image
 * causes
 */
async function classifyObject(
  image: ImageRef,
  { model, store, activationId, exif }: ClassifyOptions,
  thumbnails?: Thumbnails,
): Promise<ImageRecord> {
  const at = Date.now()
  const [loading, downloading] = await Promise.allSettled([model, download(image, store)])
  if (loading.status === 'rejected') throw loading.reason
  const { folder, engine } = loading.value
  const record = initialRecord(image, { model: folder.version, engine, activationId, at })
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
    if (isSystemic(thrown)) throw thrown
    record.error = errorOf(thrown)
  }
  return record
}

/** Failures of the model, the engine, the settings or the store's certificate concern every image, not this one. */
const isSystemic = (thrown: unknown): boolean =>
  thrown instanceof StorageError
    ? thrown.code === 'tls_untrusted'
    : thrown instanceof WhisklensError && !(thrown instanceof ImageError)

async function download({ bucket, key }: ImageRef, store: Store) {
  const start = Date.now()
  const object = await store.bucket(bucket).get(key, maxImageBytes)
  return { ...object, ms: Date.now() - start }
}
