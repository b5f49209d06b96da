import { createHash } from 'node:crypto'
import { isSameSecret } from '../../same-secret'
import { sha256Of } from '../../sha256'
import { s3Error } from './s3-error'
import { type Signing, signatureOf } from './signature'

const emptyHash = sha256Of('')
const maxLineLength = 16 * 1024
const trailerSignature = 'x-amz-trailer-signature'

/** Reads lines and byte ranges from a stream, buffering only what has arrived. */
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

type Reader = ReturnType<typeof reader>

/**
 * Decodes an aws-chunked body: `<hex size>[;chunk-signature=<hex>]` CRLF bytes CRLF, up to a chunk of size 0, then trailers.
 * Each signature covers the previous one, so chunks can be neither changed nor reordered.
 */
export async function* decodeChunks(
  source: AsyncIterator<Buffer>,
  signing: Signing,
  trailers: Map<string, string>,
): AsyncGenerator<Buffer> {
  const body = reader(source)
  const isSigned = signing.payload.startsWith('STREAMING-AWS4-HMAC-SHA256-PAYLOAD')
  const check = isSigned ? signatureChain(signing) : undefined
  for (;;) {
    const { size, signature } = chunkHead(await body.line())
    const hash = createHash('sha256')
    for await (const bytes of body.bytes(size)) {
      if (check) hash.update(bytes)
      yield bytes
    }
    check?.('PAYLOAD', signature, [emptyHash, hash.digest('hex')])
    if (size === 0) break
    if ((await body.line()) !== '') throw s3Error('IncompleteBody')
  }
  if (!signing.payload.endsWith('-TRAILER')) return
  const signed = await readTrailers(body, trailers)
  check?.('TRAILER', trailers.get(trailerSignature), [sha256Of(signed)])
}

/** Checks a chain of signatures, each covering the previous one; the first covers the request's. */
function signatureChain({ key, date, scope, signature }: Signing) {
  let previous = signature
  return (kind: 'PAYLOAD' | 'TRAILER', claimed: string | undefined, hashes: string[]): void => {
    previous = signatureOf(key, [`AWS4-HMAC-SHA256-${kind}`, date, scope, previous, ...hashes])
    if (!isSameSecret(claimed ?? '', previous)) throw s3Error('SignatureDoesNotMatch')
  }
}

/** Parses the first line of a chunk; size in bytes. */
function chunkHead(line: string): { size: number; signature: string | undefined } {
  const [, hex, signature] = /^([\da-f]{1,12})(?:;chunk-signature=(\w+))?$/i.exec(line) ?? []
  if (hex === undefined) throw s3Error('InvalidRequest', 'The chunked body is malformed')
  return { size: Number.parseInt(hex, 16), signature }
}

/** Reads the trailers. @returns the text covered by their signature */
async function readTrailers(body: Reader, trailers: Map<string, string>): Promise<string> {
  let signed = ''
  for (let line = await body.line(); line !== ''; line = await body.line()) {
    const [name = '', value = ''] = line.split(/:(.*)/s)
    trailers.set(name.trim().toLowerCase(), value.trim())
    if (name !== trailerSignature) signed += `${name.trim()}:${value.trim()}\n`
  }
  return signed
}
