import pLimit from 'p-limit'
import type { DecodedImage } from '../../classifier/image'
import { encodeThumbnail } from '../../classifier/thumbnail'
import { messageOf } from '../../errors'
import { log } from '../../log'
import type { ImageRef, Thumbnail } from '../../schema'
import type { Bucket } from '../../storage/store'
import { thumbnailKey } from '../state/layout'

/** Writes in flight at once. When the store is slower than the model, images wait for it. */
const writesAtOnce = 16

/** Safe because a key names one version of an image. */
const cacheControl = 'public, max-age=31536000, immutable'

/** Writes thumbnails while other images are classified. */
export interface Thumbnails {
  /**
   * Makes the thumbnail of a decoded image. Never throws: failures are logged.
   * @returns once its write has begun; undefined if it cannot be made
   */
  make(small: DecodedImage | undefined, image: Version): Promise<Thumbnail | undefined>
  /** Waits for all writes or the deadline. @returns the keys written */
  written(): Promise<Set<string>>
}

type Version = Required<Pick<ImageRef, 'bucket' | 'key' | 'etag'>>

/**
 * Opens a thumbnail writer. Existing thumbnails are overwritten: checking would cost a request for each new image.
 * @param deadline when to stop waiting for writes, milliseconds since the epoch
 */
export function openThumbnails(results: Bucket, deadline: number): Thumbnails {
  const limit = pLimit(writesAtOnce)
  const writes: Promise<unknown>[] = []
  const keys = new Set<string>()
  const late = until(deadline)
  let refused = false
  /** A failed write usually has a cause that affects all: log the first, and count the rest at the end. */
  const notWritten = (thrown: unknown): void => {
    if (!refused) log.warn({ reason: messageOf(thrown) }, 'a thumbnail was not written')
    refused = true
  }
  return {
    async make(small, { bucket, key, etag }) {
      const failed = (thrown: unknown): undefined =>
        void log.warn({ bucket, key, reason: messageOf(thrown) }, 'an image has no thumbnail')
      if (!small) return failed('the area outside the model input cannot be decoded')
      const file = await encodeThumbnail(small).catch(failed)
      if (!file) return undefined
      const { width, height, bytes, contentType, extension } = file
      const thumbnail = {
        key: thumbnailKey(bucket, key, etag, extension),
        width,
        height,
        bytes: bytes.length,
      }
      const begun = new Promise<void>((begin) => {
        const write = async (): Promise<void> => {
          begin()
          await results.put(thumbnail.key, bytes, { contentType, cacheControl })
          keys.add(thumbnail.key)
        }
        writes.push(limit(write).catch(notWritten))
      })
      await Promise.race([begun, late])
      return thumbnail
    },
    async written() {
      await Promise.race([Promise.all(writes), late])
      if (keys.size < writes.length)
        log.warn({ missing: writes.length - keys.size }, 'thumbnails are missing')
      return keys
    },
  }
}

/** Largest delay of a timer, milliseconds. */
const maxTimer = 2 ** 31 - 1

/** Resolves at a time without keeping the process alive. */
const until = (time: number): Promise<void> =>
  new Promise((resolve) => {
    const left = Math.min(Math.max(0, time - Date.now()), maxTimer)
    AbortSignal.timeout(left).addEventListener('abort', () => resolve())
  })
