import { createHash } from 'node:crypto'
import { Readable } from 'node:stream'
import { payloadOf, textOf } from '../../src/local/store/payload'
import type { S3Request } from '../../src/local/store/request'
import { authenticate } from '../../src/local/store/signature'

// The examples of "Authenticating Requests (AWS Signature Version 4)" in the Amazon S3 API reference.
const credentials = {
  accessKeyId: 'AKIAIOSFODNN7EXAMPLE',
  secretAccessKey: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY',
}
const scope = `${credentials.accessKeyId}/20130524/us-east-1/s3/aws4_request`
const now = Date.parse('2013-05-24T00:00:00Z')
const emptyHash = createHash('sha256').digest('hex')

interface Example {
  method?: string
  path: string
  query?: string
  headers: Record<string, string>
  body?: string
}

function exampleRequest({ method = 'GET', path, query = '', headers, body = '' }: Example): S3Request {
  const all: Record<string, string> = headers.authorization
    ? { 'x-amz-date': '20130524T000000Z', ...headers }
    : headers
  const headersDistinct = Object.fromEntries(Object.entries(all).map(([name, value]) => [name, [value]]))
  // The length of pieces is unrelated to that of lines and chunks, so that they are split anywhere.
  const pieces = body.match(/.{1,1013}/gs) ?? []
  const incoming = Object.assign(Readable.from(pieces.map((piece) => Buffer.from(piece))), {
    headersDistinct,
  })
  const parts = {
    method,
    path,
    bucket: '',
    key: path.slice(1),
    query: new URLSearchParams(query),
    headers: all,
  }
  return { ...parts, incoming: incoming as unknown as S3Request['incoming'] }
}

const authorization = (signedHeaders: string, signature: string): string =>
  `AWS4-HMAC-SHA256 Credential=${scope},SignedHeaders=${signedHeaders},Signature=${signature}`

const host = 'examplebucket.s3.amazonaws.com'

const examples: Record<string, Example> = {
  'GET Object': {
    path: '/test.txt',
    headers: {
      host,
      range: 'bytes=0-9',
      'x-amz-content-sha256': emptyHash,
      authorization: authorization(
        'host;range;x-amz-content-sha256;x-amz-date',
        'f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41',
      ),
    },
  },
  'PUT Object': {
    method: 'PUT',
    path: '/test$file.text',
    headers: {
      host,
      date: 'Fri, 24 May 2013 00:00:00 GMT',
      'x-amz-content-sha256': '44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072',
      'x-amz-storage-class': 'REDUCED_REDUNDANCY',
      authorization: authorization(
        'date;host;x-amz-content-sha256;x-amz-date;x-amz-storage-class',
        '98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd',
      ),
    },
  },
  'GET Bucket Lifecycle': {
    path: '/',
    query: '?lifecycle',
    headers: {
      host,
      'x-amz-content-sha256': emptyHash,
      authorization: authorization(
        'host;x-amz-content-sha256;x-amz-date',
        'fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543',
      ),
    },
  },
  'List Objects': {
    path: '/',
    query: '?max-keys=2&prefix=J',
    headers: {
      host,
      'x-amz-content-sha256': emptyHash,
      authorization: authorization(
        'host;x-amz-content-sha256;x-amz-date',
        '34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7',
      ),
    },
  },
}

const presigned: Example = {
  path: '/test.txt',
  query: new URLSearchParams({
    'X-Amz-Algorithm': 'AWS4-HMAC-SHA256',
    'X-Amz-Credential': scope,
    'X-Amz-Date': '20130524T000000Z',
    'X-Amz-Expires': '86400',
    'X-Amz-SignedHeaders': 'host',
    'X-Amz-Signature': 'aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404',
  }).toString(),
  headers: { host },
}

const content = 'a'.repeat(66560)
const chunks = (signatures: string[], end: string): string => {
  const [first, second, last] = signatures
  const [head, tail] = [content.slice(0, 65536), content.slice(65536)]
  return [
    `10000;chunk-signature=${first}\r\n${head}\r\n`,
    `400;chunk-signature=${second}\r\n${tail}\r\n`,
    `0;chunk-signature=${last}\r\n${end}\r\n`,
  ].join('')
}

const chunked: Example = {
  method: 'PUT',
  path: '/examplebucket/chunkObject.txt',
  headers: {
    host: 's3.amazonaws.com',
    'content-encoding': 'aws-chunked',
    'content-length': '66824',
    'x-amz-content-sha256': 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD',
    'x-amz-decoded-content-length': '66560',
    'x-amz-storage-class': 'REDUCED_REDUNDANCY',
    authorization: authorization(
      'content-encoding;content-length;host;x-amz-content-sha256;x-amz-date;x-amz-decoded-content-length;x-amz-storage-class',
      '4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9',
    ),
  },
  body: chunks(
    [
      'ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648',
      '0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497',
      'b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9',
    ],
    '',
  ),
}

const trailing: Example = {
  ...chunked,
  headers: {
    host: 's3.amazonaws.com',
    'content-encoding': 'aws-chunked',
    'x-amz-content-sha256': 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER',
    'x-amz-decoded-content-length': '66560',
    'x-amz-storage-class': 'REDUCED_REDUNDANCY',
    'x-amz-trailer': 'x-amz-checksum-crc32c',
    authorization: authorization(
      'content-encoding;host;x-amz-content-sha256;x-amz-date;x-amz-decoded-content-length;x-amz-storage-class;x-amz-trailer',
      '106e2a8a18243abcf37539882f36619c00e2dfc72633413f02d3b74544bfeb8e',
    ),
  },
  body: chunks(
    [
      'b474d8862b1487a5145d686f57f013e54db672cee1c953b3010fb58501ef5aa2',
      '1c1344b170168f8e65b41376b44b20fe354e373826ccbbe2c1d40a8cae51e5c7',
      '2ca2aba2005185cf7159c6277faf83795951dd77a3a99e6e65d5c9f85863f992',
    ],
    'x-amz-checksum-crc32c:sOO8/Q==\r\nx-amz-trailer-signature:d81f82fc3505edab99d459891051a732e8730629a2e4a59689829ca17fe2e435\r\n',
  ),
}

const check = (example: Example, at = now) =>
  authenticate(exampleRequest(example), 'us-east-1', [credentials], at).signing

const read = (example: Example): Promise<string> => {
  const request = exampleRequest(example)
  return textOf(payloadOf(request, authenticate(request, 'us-east-1', [credentials], now).signing))
}

const changed = (example: Example, find: string, replacement: string): Example => ({
  ...example,
  body: example.body?.replace(find, replacement),
})

describe('signature version 4', () => {
  it.each(Object.keys(examples))('accepts the published example %s', (name) => {
    expect(() => check(examples[name] as Example)).not.toThrow()
  })

  it('accepts the published presigned URL until it expires', () => {
    const day = 24 * 3600 * 1000
    expect(() => check(presigned, now + day)).not.toThrow()
    expect(() => check(presigned, now + day + 1)).toThrow('Request has expired')
    expect(() => check(presigned, now - day)).toThrow('Request is not valid yet')
  })

  it.each([
    ['another method', { method: 'HEAD' }],
    ['another path', { path: '/test.txt2' }],
    ['another query', { query: '?a=b' }],
  ])('refuses %s than was signed', (_, change) => {
    expect(() => check({ ...(examples['GET Object'] as Example), ...change })).toThrow('does not match')
  })

  it('refuses a header that was changed or added after signing', () => {
    const example = examples['GET Object'] as Example
    const withHeader = (name: string, value: string) => ({
      ...example,
      headers: { ...example.headers, [name]: value },
    })
    expect(() => check(withHeader('range', 'bytes=0-99'))).toThrow('does not match')
    expect(() => check(withHeader('x-amz-copy-source', 'other'))).toThrow('not signed: x-amz-copy-source')
  })

  it('allows clocks to differ by 15 minutes', () => {
    const example = examples['GET Object'] as Example
    expect(() => check(example, now + 15 * 60_000)).not.toThrow()
    expect(() => check(example, now + 15 * 60_000 + 1)).toThrow('too large')
    expect(() => check(example, now - 15 * 60_000 - 1)).toThrow('too large')
  })

  it('reports the expected region', () => {
    const request = exampleRequest(examples['GET Object'] as Example)
    expect(() => authenticate(request, 'eu-west-1', [credentials], now)).toThrow('/eu-west-1/s3')
  })

  it('decodes the published chunked upload', async () => {
    expect(await read(chunked)).toBe(content)
    expect(await read(trailing)).toBe(content)
  })

  it.each([
    ['bytes', 'aaaa', 'aaab', 'SignatureDoesNotMatch'],
    ['a chunk signature', 'ad80c730', 'ad80c731', 'SignatureDoesNotMatch'],
    ['a chunk size', '\r\n400;', '\r\n3ff;', 'SignatureDoesNotMatch'],
    ['the end', '0;chunk-signature=b6c6ea', '', 'InvalidRequest'],
    ['the form', '10000;', 'zz;', 'InvalidRequest'],
  ])('refuses a chunked upload if %s changed', async (_, find, replacement, code) => {
    await expect(read(changed(chunked, find, replacement))).rejects.toMatchObject({ code })
  })

  it('refuses a truncated chunked upload', async () => {
    const body = chunked.body?.slice(0, 66_000)
    await expect(read({ ...chunked, body })).rejects.toMatchObject({ code: 'IncompleteBody' })
  })

  it('refuses changed trailers', async () => {
    const code = 'SignatureDoesNotMatch'
    await expect(read(changed(trailing, 'sOO8/Q==', 'sOO8/R=='))).rejects.toMatchObject({ code })
    await expect(read(changed(trailing, 'signature:d8', 'signature:d9'))).rejects.toMatchObject({ code })
  })
})
