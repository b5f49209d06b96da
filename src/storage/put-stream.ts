import { etagOf, partBytes } from './multipart'
import type { Bucket } from './store'

/**
 * Writes an object of any size in bounded memory, in parts where it is larger than one. Where the body breaks off, or the
 * store refuses a part, nothing stays: the SDK's own managed upload forgets one that is just being begun.
 * @returns its etag
 * @throws StorageError, and what the body throws
 */
export async function putStream(
  bucket: Pick<Bucket, 'put' | 'beginUpload' | 'uploadPart' | 'completeUpload' | 'abortUpload'>,
  key: string,
  body: AsyncIterable<Buffer | string>,
  contentType: string,
): Promise<string> {
  let upload: string | undefined
  const etags: string[] = []
  try {
    for await (const part of partsOf(body)) {
      const isWhole = upload === undefined && part.length < partBytes
      if (isWhole) return await bucket.put(key, part, { contentType })
      upload ??= await bucket.beginUpload(key, contentType)
      etags.push(await bucket.uploadPart(key, upload, etags.length + 1, part))
    }
    await bucket.completeUpload(key, upload ?? '', etags)
    return etagOf(etags)
  } catch (thrown) {
    // What made it fail says more than a store that cannot be reached for this, too.
    if (upload !== undefined) await bucket.abortUpload(key, upload).catch(() => {})
    throw thrown
  }
}

/** At least one part; all but the last are of exactly {@link partBytes}, as some stores want them. */
async function* partsOf(body: AsyncIterable<Buffer | string>): AsyncIterable<Buffer> {
  let pieces: Buffer[] = []
  let length = 0
  let isFirst = true
  for await (const piece of body) {
    const bytes = Buffer.from(piece)
    pieces.push(bytes)
    length += bytes.length
    while (length >= partBytes) {
      const whole = Buffer.concat(pieces)
      yield whole.subarray(0, partBytes)
      pieces = [whole.subarray(partBytes)]
      length -= partBytes
      isFirst = false
    }
  }
  if (length > 0 || isFirst) yield Buffer.concat(pieces)
}
