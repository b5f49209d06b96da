import { createHash, randomUUID } from 'node:crypto'
import { closeSync, createReadStream, openSync, readSync, rmSync, writeFileSync } from 'node:fs'
import { Readable } from 'node:stream'
import { type Body, type Bucket, bodyPath } from './bucket'
import { s3Error } from './s3-error'

/** Whole seconds, as in S3: finer times would hide bugs that show on a real server. */
export const now = (): number => Math.floor(Date.now() / 1000) * 1000

/**
 * Streams `source` to a new file, then calls `onStored` to check and commit it. If either fails, the file is deleted; if the
 * process dies, the next start deletes it. Without fsync: data survives a crash of the process, not of the machine.
 * @param isOpaque whether the etag must differ from the MD5 of the bytes
 */
export async function storeBody(
  bucket: Bucket,
  source: AsyncIterable<Buffer>,
  onStored: (body: Body) => void,
  isOpaque = false,
): Promise<Body> {
  const file = randomUUID()
  const md5 = createHash('md5').update(isOpaque ? file : '')
  let size = 0
  try {
    const fd = openSync(bodyPath(bucket, file), 'wx')
    try {
      for await (const chunk of source) {
        md5.update(chunk)
        size += chunk.length
        writeFileSync(fd, chunk)
      }
    } finally {
      closeSync(fd)
    }
    const body = { file, size, etag: md5.digest('hex'), modified: now() }
    onStored(body)
    return body
  } catch (thrown) {
    rmSync(bodyPath(bucket, file), { force: true })
    throw bucket.isClosed ? s3Error('NoSuchBucket') : thrown
  }
}

/** Up to this size, bytes, a synchronous read is faster than handing it to another thread. */
const readAtOnce = 256 * 1024

/** Reads bytes `first` to `last`. Opens the file right away, so that a deletion does not interrupt the reader. */
export function readBody(bucket: Bucket, { file, size }: Body, first = 0, last = size - 1): Readable {
  if (last < first) return Readable.from([])
  const fd = openSync(bodyPath(bucket, file), 'r')
  const length = last - first + 1
  if (length > readAtOnce) return createReadStream('', { fd, start: first, end: last })
  try {
    const bytes = Buffer.allocUnsafe(length)
    return Readable.from([bytes.subarray(0, readSync(fd, bytes, 0, length, first))])
  } finally {
    closeSync(fd)
  }
}
