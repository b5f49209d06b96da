import type { ObjectInfo } from '../../storage/store'
import { compareKeys } from '../keys'

/** An image of the source, its record, or both. */
export type ImageAndRecord =
  | { image: ObjectInfo; record?: ObjectInfo }
  | { image?: undefined; record: ObjectInfo }

/**
 * Walks two ordered listings side by side and pairs each image with its record, in one pass and constant memory.
 * Records whose image is not listed come alone, in their place.
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
      for (; !record.done && compareKeys(record.value.key, image.key) < 0; record = await remaining.next()) {
        yield { record: record.value }
      }
      const own = !record.done && record.value.key === image.key ? record.value : undefined
      if (own) record = await remaining.next()
      yield own ? { image, record: own } : { image }
    }
    for (; !record.done; record = await remaining.next()) yield { record: record.value }
  } finally {
    await remaining.return?.()
  }
}
