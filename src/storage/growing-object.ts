import * as z from 'zod'
import { partBytes } from './multipart'
import type { Bucket } from './store'

/** The upload of an object that is being written. Plain data: whoever has it can carry the upload on. */
export const uploadSchema = z.object({ id: z.string(), etags: z.array(z.string()) })
export type Upload = z.infer<typeof uploadSchema>

/** How far an object has been written: what is sent, and the bytes that are too few for a part yet. */
export interface Written {
  upload?: Upload
  rest: Buffer
}

/** A text object that is written as it grows, in bounded memory; it is there once it is finished, and whole. */
export interface GrowingObject {
  /** Fails with what an earlier part failed with, too. */
  append(text: string): Promise<void>
  /** The id of the upload, once the text is long enough for one. */
  uploadId(): string | undefined
  /** Waits until what has been appended is sent, but for a rest of less than a part. */
  settle(): Promise<Written>
  /** Writes the object: in one request, unless it is longer than a part. */
  finish(): Promise<void>
  /** Leaves nothing behind of an object that is not to be finished. */
  abort(): Promise<void>
}

/**
 * Opens an object to be written piece by piece. Parts are cut at the same bytes wherever writing was interrupted, so
 * that the same text is the same object in the end.
 * @param from where to go on with an object that was begun before
 */
export function openGrowing(
  bucket: Bucket,
  key: string,
  contentType: string,
  from: Written = { rest: Buffer.alloc(0) },
): GrowingObject {
  const etags = [...(from.upload?.etags ?? [])]
  let id = from.upload?.id
  let filling: Buffer = Buffer.from(from.rest)
  let used = filling.length
  let spare: Buffer | undefined
  let sending = Promise.resolve()

  /** Makes room for some of `more` bytes; never for more than a part, and of short texts for little. */
  function makeRoom(more: number): void {
    if (used + more <= filling.length || filling.length === partBytes) return
    const larger = Buffer.allocUnsafe(Math.min(partBytes, 2 * (used + more)))
    filling.copy(larger, 0, 0, used)
    filling = larger
  }

  /** Sends what is there while the next part is being made. Two buffers take turns: garbage is not freed that fast. */
  async function send(): Promise<void> {
    await sending
    id ??= await bucket.beginUpload(key, contentType)
    const part = filling.subarray(0, used)
    sending = bucket.uploadPart(key, id, etags.length + 1, part).then((etag) => void etags.push(etag))
    // Awaited before the next part; until then a failure must not count as unhandled.
    sending.catch(() => {})
    const free = spare ?? Buffer.allocUnsafe(partBytes)
    spare = filling
    filling = free
    used = 0
  }

  return {
    append: async (text) => {
      const bytes = Buffer.from(text)
      for (let taken = 0; taken < bytes.length; ) {
        makeRoom(bytes.length - taken)
        const copied = bytes.copy(filling, used, taken)
        taken += copied
        used += copied
        if (used === partBytes) await send()
      }
    },
    uploadId: () => id,
    settle: async () => {
      await sending
      const rest = Buffer.from(filling.subarray(0, used))
      return { upload: id === undefined ? undefined : { id, etags: [...etags] }, rest }
    },
    finish: async () => {
      await sending
      if (id === undefined) {
        await bucket.put(key, filling.subarray(0, used), { contentType })
        return
      }
      if (used > 0) await send()
      await sending
      await bucket.completeUpload(key, id, etags)
    },
    abort: async () => {
      await sending.catch(() => {})
      if (id !== undefined) await bucket.abortUpload(key, id)
    },
  }
}
