import { multipartEtag, partBytes } from './multipart'
import type { Bucket } from './store'

/**
 * Writes an object of any size in bounded memory, as a multipart upload if needed. If the body or a part fails nothing
 * is left; the SDK's managed upload leaks uploads that are just being created.
 * @returns the etag
 * @throws StorageError, and errors of the body
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
    for await (const part of uploadParts(body)) {
      const isWhole = upload === undefined && part.length < partBytes
      if (isWhole) return await bucket.put(key, part, { contentType })
      upload ??= await bucket.beginUpload(key, contentType)
      etags.push(await bucket.uploadPart(key, upload, etags.length + 1, part))
    }
    await bucket.completeUpload(key, upload ?? '', etags)
    return multipartEtag(etags)
  } catch (thrown) {
    // A failure to abort must not hide the first one.
    if (upload !== undefined) await bucket.abortUpload(key, upload).catch(() => {})
    throw thrown
  }
}

/** Splits a body into parts, at least one; all but the last have exactly {@link partBytes}, as some stores require. */
async function* uploadParts(body: AsyncIterable<Buffer | string>): AsyncIterable<Buffer> {
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
