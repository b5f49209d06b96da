import pLimit from 'p-limit'
import type { DecodedImage } from '../../classifier/image'
import { encodeThumbnail } from '../../classifier/thumbnail'
import { messageOf } from '../../errors'
import { log } from '../../log'
import type { ImageRef, Thumbnail } from '../../schema'
import type { Bucket } from '../../storage/store'
import { thumbnailKey } from '../state/layout'

/** So many are written at a time; where the store is slower than the model, images wait for it. */
const writesAtOnce = 16

/** A key names one version of an image. */
const cacheControl = 'public, max-age=31536000, immutable'

/** Thumbnails of some images, written while others are classified. */
export interface Thumbnails {
  /**
   * Makes the thumbnail of an image that was decoded. Never throws: the log has what fails.
   * @returns it once its write has begun; undefined where it cannot be made
   */
  make(small: DecodedImage | undefined, image: Version): Promise<Thumbnail | undefined>
  /** The keys of those that are written, once all are, or at the deadline. */
  written(): Promise<Set<string>>
}

type Version = Required<Pick<ImageRef, 'bucket' | 'key' | 'etag'>>

/**
 * Opens the thumbnails of some images. One that is there already is written again: to look takes a request and its time,
 * too, for each image that is new.
 * @param deadline when nothing waits for writes any longer, milliseconds since the epoch
 */
export function openThumbnails(results: Bucket, deadline: number): Thumbnails {
  const limit = pLimit(writesAtOnce)
  const writes: Promise<unknown>[] = []
  const keys = new Set<string>()
  const late = until(deadline)
  let refused = false
  /** What keeps one from being written, keeps all: the log has the first, and in the end how many. */
  const notWritten = (thrown: unknown): void => {
    if (!refused) log.warn({ reason: messageOf(thrown) }, 'a thumbnail was not written')
    refused = true
  }
  return {
    async make(small, { bucket, key, etag }) {
      const failed = (thrown: unknown): undefined =>
        void log.warn({ bucket, key, reason: messageOf(thrown) }, 'an image has no thumbnail')
      if (!small) return failed('the part that the model does not see cannot be decoded')
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

/** What timers take. */
const longestTimer = 2 ** 31 - 1

/** Resolves at a time; a process does not stay for it. */
const until = (time: number): Promise<void> =>
  new Promise((resolve) => {
    const left = Math.min(Math.max(0, time - Date.now()), longestTimer)
    AbortSignal.timeout(left).addEventListener('abort', () => resolve())
  })
