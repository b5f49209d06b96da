import type { ObjectInfo } from '../storage/store'
import { compareKeys } from './keys'

/** An image of the source, with its record if there is one. */
export interface ImageAndRecord {
  image: ObjectInfo
  record?: ObjectInfo
}

/**
 * Walks two ordered listings side by side and pairs each image with its record, in one pass and constant memory.
 * @param images the source bucket's listing
 * @param records the records' listing, keys relative so that they equal the images'
 */
export async function* pairWithRecords(
  images: AsyncIterable<ObjectInfo>,
  records: AsyncIterable<ObjectInfo>,
): AsyncGenerator<ImageAndRecord> {
  const remaining = records[Symbol.asyncIterator]()
  let record = await remaining.next()
  try {
    for await (const image of images) {
      while (!record.done && compareKeys(record.value.key, image.key) < 0) record = await remaining.next()
      const same = !record.done && record.value.key === image.key
      yield same ? { image, record: record.value } : { image }
    }
  } finally {
    await remaining.return?.()
  }
}
