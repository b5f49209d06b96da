import { createHash } from 'node:crypto'
import * as zlib from 'node:zlib'
import { decodeChunks } from './chunks'
import { header, type S3Request } from './request'
import { type S3ErrorCode, s3Error } from './s3-error'
import type { Signing } from './signature'

interface Digest {
  update(bytes: Buffer): unknown
  digest(encoding: 'base64'): string
}

function crc32(): Digest {
  let value = 0
  return {
    update: (bytes) => {
      value = zlib.crc32(bytes, value)
    },
    digest: () => Buffer.from(value.toString(16).padStart(8, '0'), 'hex').toString('base64'),
  }
}

/** Verified checksums (`x-amz-checksum-…`). Others are not checked, nor is crc32 before Node.js 20.15. */
const checksums: Record<string, () => Digest> = {
  ...('crc32' in zlib ? { crc32 } : {}),
  sha1: () => createHash('sha1'),
  sha256: () => createHash('sha256'),
}

/** Digests announced by the request. Expected values are functions, because trailers come last. */
function expectedDigests(request: S3Request, { payload }: Signing, trailers: Map<string, string>) {
  const found: { digest: Digest; expected: () => string | undefined; refusal: S3ErrorCode }[] = []
  const md5 = header(request, 'content-md5')
  if (md5 !== undefined) {
    if (Buffer.from(md5, 'base64').length !== 16) throw s3Error('InvalidDigest')
    found.push({ digest: createHash('md5'), expected: () => md5, refusal: 'BadDigest' })
  }
  if (/^[\da-f]{64}$/.test(payload)) {
    const expected = () => Buffer.from(payload, 'hex').toString('base64')
    found.push({ digest: createHash('sha256'), expected, refusal: 'XAmzContentSHA256Mismatch' })
  }
  for (const [algorithm, start] of Object.entries(checksums)) {
    const name = `x-amz-checksum-${algorithm}`
    const isTrailer = header(request, 'x-amz-trailer')?.toLowerCase().split(/ *, */).includes(name)
    if (!isTrailer && request.headers[name] === undefined) continue
    const expected = () => (isTrailer ? trailers.get(name) : header(request, name))
    found.push({ digest: start(), expected, refusal: 'BadDigest' })
  }
  return found
}

/** Decodes the body of a request; throws at the end if a length or digest does not match. */
export async function* payloadOf(request: S3Request, signing: Signing): AsyncGenerator<Buffer> {
  const trailers = new Map<string, string>()
  const digests = expectedDigests(request, signing, trailers)
  // Not destroyed on errors: the response still needs this connection.
  const raw: AsyncIterableIterator<Buffer> = request.incoming.iterator({ destroyOnReturn: false })
  let size = 0
  try {
    for await (const chunk of signing.payload.startsWith('STREAMING-')
      ? decodeChunks(raw, signing, trailers)
      : raw) {
      for (const { digest } of digests) digest.update(chunk)
      size += chunk.length
      yield chunk
    }
  } finally {
    // Chunks end before the stream does; no other reader could go on while this one held it.
    await raw.return?.()
  }
  const length = header(request, 'x-amz-decoded-content-length')
  if (length !== undefined && Number(length) !== size) throw s3Error('IncompleteBody')
  for (const { digest, expected, refusal } of digests) {
    if (digest.digest('base64') !== expected()) throw s3Error(refusal)
  }
}

/** Reads a small body as text. */
export async function textOf(payload: AsyncIterable<Buffer>, limit = 4 * 1024 * 1024): Promise<string> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of payload) {
    size += chunk.length
    if (size > limit) throw s3Error('MalformedXML')
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}
