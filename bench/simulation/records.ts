import type { ImageRecord } from '../../src/schema'
import type { ObjectInfo } from '../../src/storage/store'
import type { Contents } from './contents'
import { keyOf, numberOf, numbersOf } from './images'

/**
 * The newest records of all images, of which only the time is kept: what they say is made up anew when they are read.
 * @param root what stands in front of the image's key
 */
export function recordsContents(
  total: number,
  root: string,
  recordOf: (image: number, at: number) => ImageRecord,
): Contents {
  /** When the record of each image was written, milliseconds since the epoch; 0 where there is none. */
  const written = new Float64Array(total)
  const bodyOf = (image: number) => Buffer.from(JSON.stringify(recordOf(image, written[image] ?? 0)))
  const infoOf = (key: string, image: number): ObjectInfo | undefined => {
    const at = written[image]
    return at
      ? { key, etag: at.toString(16), size: 900, lastModified: new Date(at).toISOString() }
      : undefined
  }
  return {
    info: (key) => infoOf(key, numberOf(key)),
    body: (key) => bodyOf(numberOf(key)),
    metadata: () => ({}),
    put: (key) => {
      written[numberOf(key)] = Date.now()
      return infoOf(key, numberOf(key)) as ObjectInfo
    },
    delete: (key) => {
      written[numberOf(key)] = 0
    },
    page: (prefix, after, count) => {
      const page: ObjectInfo[] = []
      for (const image of numbersOf(total, root, prefix, after)) {
        const info = infoOf(root + keyOf(image), image)
        if (info && page.push(info) === count) break
      }
      return page
    },
  }
}
