import { createHash } from 'node:crypto'
import { isSameSecret } from '../../same-secret'
import { sha256Of } from '../../sha256'
import { s3Error } from './s3-error'
import { type Signing, signatureOf } from './signature'

const emptyHash = sha256Of('')
const maxLineLength = 16 * 1024

/** Takes lines and runs of bytes off a stream, with no more of it in memory than what has arrived. */
function reader(chunks: AsyncIterator<Buffer>) {
  let rest: Buffer = Buffer.alloc(0)
  const more = async (): Promise<Buffer> => {
    const { done, value } = await chunks.next()
    if (done) throw s3Error('IncompleteBody')
    return value
  }
  return {
    async line(): Promise<string> {
      let end = rest.indexOf('\r\n')
      for (; end < 0; end = rest.indexOf('\r\n')) {
        if (rest.length > maxLineLength)
          throw s3Error('InvalidRequest', 'A line of the chunked body is too long')
        rest = Buffer.concat([rest, await more()])
      }
      const line = rest.toString('latin1', 0, end)
      rest = rest.subarray(end + 2)
      return line
    },
    async *bytes(count: number): AsyncGenerator<Buffer> {
      for (let left = count; left > 0; ) {
        if (rest.length === 0) rest = await more()
        const part = rest.subarray(0, left)
        rest = rest.subarray(part.length)
        left -= part.length
        yield part
      }
    },
  }
}

/**
 * Decodes an aws-chunked body: `<hex size>[;chunk-signature=<hex>]` CRLF bytes CRLF, until a chunk of size 0, then
 * trailers. Each signature covers the one before it, so chunks can be neither changed nor moved.
 */
export async function* decodeChunks(
  source: AsyncIterator<Buffer>,
  signing: Signing,
  trailers: Map<string, string>,
): AsyncGenerator<Buffer> {
  const isSigned = signing.payload.startsWith('STREAMING-AWS4-HMAC-SHA256-PAYLOAD')
  const body = reader(source)
  let previous = signing.signature
  const check = (kind: string, claimed: string | undefined, hashes: string[]): void => {
    if (!isSigned) return
    previous = signatureOf(signing.key, [kind, signing.date, signing.scope, previous, ...hashes])
    if (!isSameSecret(claimed ?? '', previous)) throw s3Error('SignatureDoesNotMatch')
  }
  for (;;) {
    const [, hex, signature] = /^([\da-f]{1,12})(?:;chunk-signature=(\w+))?$/i.exec(await body.line()) ?? []
    if (hex === undefined) throw s3Error('InvalidRequest', 'The chunked body is malformed')
    const size = Number.parseInt(hex, 16)
    const hash = createHash('sha256')
    for await (const bytes of body.bytes(size)) {
      if (isSigned) hash.update(bytes)
      yield bytes
    }
    check('AWS4-HMAC-SHA256-PAYLOAD', signature, [emptyHash, hash.digest('hex')])
    if (size === 0) break
    if ((await body.line()) !== '') throw s3Error('IncompleteBody')
  }
  if (!signing.payload.endsWith('-TRAILER')) return
  let signed = ''
  for (let line = await body.line(); line !== ''; line = await body.line()) {
    const [name = '', value = ''] = line.split(/:(.*)/s)
    trailers.set(name.trim().toLowerCase(), value.trim())
    if (name !== 'x-amz-trailer-signature') signed += `${name.trim()}:${value.trim()}\n`
  }
  check('AWS4-HMAC-SHA256-TRAILER', trailers.get('x-amz-trailer-signature'), [sha256Of(signed)])
}
