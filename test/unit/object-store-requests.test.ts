import { createHash } from 'node:crypto'
import {
  credentials,
  encodeKey,
  hmac,
  listKeys,
  presign,
  put,
  region,
  type Sent,
  scopeOf,
  send,
  sendRaw,
  sha256,
  signHeaders,
  signingKey,
  temporaryStore,
} from './object-store-client'

let store: Awaited<ReturnType<typeof temporaryStore>>
let endpoint: string

beforeAll(async () => {
  store = await temporaryStore()
  endpoint = store.endpoint
  await put(endpoint, '/bucket')
})

afterAll(() => store.remove())

describe('keys of the embedded store', () => {
  const keys = [
    'ünï/a b+c&d%41#😀.jpg',
    '/leading',
    '//',
    '.',
    '..',
    '../up',
    'a/../b',
    'a/./b',
    'a//b',
    'trailing/',
    'trailing//',
    ' ',
    '+',
    '%',
    '%2F',
    '\\',
    '?a=b&c#d',
    `"<&>'`,
    '\0\x01\x1f\x7f\x80\r\n\t',
    '\ufffe',
    '\u{10ffff}',
    'e\u0301',
    'é',
    'constructor',
    '__proto__',
    'ü'.repeat(512),
  ]

  it('come from the raw path, decoded once and never normalised', async () => {
    for (const key of keys) expect((await put(endpoint, `/bucket/${encodeKey(key)}`, key)).status).toBe(200)
    for (const key of keys)
      expect((await send(endpoint, { path: `/bucket/${encodeKey(key)}` })).text).toBe(key)
    const sorted = [...keys].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
    expect(await listKeys(endpoint, 'bucket')).toEqual(sorted)
  })

  it('survive XML both ways, without url encoding', async () => {
    const { text } = await send(endpoint, { path: '/bucket' })
    expect(text).toContain('<Key>&quot;&lt;&amp;&gt;&apos;</Key>')
    expect(text).toContain('<Key>&#x0;&#x1;&#x1f;&#x7f;&#x80;&#xd;&#xa;&#x9;</Key>')
    const objects = [...text.matchAll(/<Key>(.*?)<\/Key>/g)].map(([key]) => `<Object>${key}</Object>`)
    const body = `<Delete xmlns="http://s3.amazonaws.com/doc/2006-03-01/">\n${objects.join('\n')}<Quiet>true</Quiet></Delete>`
    const answer = await send(endpoint, { method: 'POST', path: '/bucket', query: 'delete=', body })
    expect([answer.status, answer.text.includes('<Deleted>')]).toEqual([200, false])
    expect(await listKeys(endpoint, 'bucket')).toEqual([])
  })

  it('may have at most 1,024 bytes', async () => {
    expect((await put(endpoint, `/bucket/${encodeKey('ü'.repeat(512))}`)).status).toBe(200)
    expect((await put(endpoint, `/bucket/${encodeKey('ü'.repeat(512))}k`)).code).toBe('KeyTooLongError')
  })

  it('must be UTF-8', async () => {
    expect((await put(endpoint, '/bucket/%FF')).code).toBe('InvalidURI')
    expect((await put(endpoint, '/bucket/%4')).code).toBe('InvalidURI')
  })
})

describe('answers of the embedded store', () => {
  it('have a request id, and errors are S3 XML', async () => {
    const answer = await send(endpoint, { path: '/bucket/missing%26' })
    const id = answer.headers['x-amz-request-id']
    expect(id).toMatch(/^[\dA-F]{16}$/)
    expect([answer.status, answer.headers['content-type']]).toEqual([404, 'application/xml'])
    expect(answer.text).toBe(
      `<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>NoSuchKey</Code><Message>The specified key does not exist.</Message><Resource>/bucket/missing%26</Resource><RequestId>${id}</RequestId></Error>`,
    )
  })

  it('have no body after HEAD', async () => {
    expect(await send(endpoint, { method: 'HEAD', path: '/bucket/missing' })).toMatchObject({
      status: 404,
      text: '',
    })
    await put(endpoint, '/bucket/head', 'hello')
    const head = await send(endpoint, { method: 'HEAD', path: '/bucket/head' })
    expect([head.status, head.headers['content-length'], head.text]).toEqual([200, '5', ''])
  })

  it('report unimplemented operations', async () => {
    expect((await send(endpoint, { path: '/bucket', query: 'acl=' })).code).toBe('NotImplemented')
    expect((await send(endpoint, { path: '/bucket/a', query: 'versionId=1' })).code).toBe('NotImplemented')
    expect((await send(endpoint, { method: 'PATCH', path: '/bucket/a' })).code).toBe('MethodNotAllowed')
    expect((await put(endpoint, '/bucket/a', '', { 'if-none-match': '"etag"' })).code).toBe('NotImplemented')
    expect(
      (await send(endpoint, { method: 'DELETE', path: '/bucket/a', headers: { 'if-match': '*' } })).code,
    ).toBe('NotImplemented')
  })

  it('refuse malformed parameters and bodies', async () => {
    expect((await send(endpoint, { path: '/bucket', query: 'max-keys=many' })).code).toBe('InvalidArgument')
    const query = 'continuation-token=%21&list-type=2'
    expect((await send(endpoint, { path: '/bucket', query })).code).toBe('InvalidArgument')
    for (const body of ['', 'no xml', '<Delete>', '<Delete><Object/></Delete>', '<a>'.repeat(100_000)]) {
      const answer = await send(endpoint, { method: 'POST', path: '/bucket', query: 'delete=', body })
      expect(answer.code).toBe('MalformedXML')
    }
  })

  it('encode keys on request and echo the parameters', async () => {
    await put(endpoint, '/bucket/%C3%BC%20b%2Bc/d')
    const query = 'delimiter=%2F&encoding-type=url&list-type=2&prefix=%C3%BC'
    const { text } = await send(endpoint, { path: '/bucket', query })
    expect(text).toContain('<Prefix>%C3%BC</Prefix><Delimiter>/</Delimiter>')
    expect(text).toContain('<CommonPrefixes><Prefix>%C3%BC%20b%2Bc/</Prefix></CommonPrefixes>')
  })

  it('have dates in whole seconds, as in S3', async () => {
    await put(endpoint, '/bucket/dated')
    const { headers } = await send(endpoint, { path: '/bucket/dated' })
    const date = `${headers['last-modified']}`
    const modified = await send(endpoint, { path: '/bucket/dated', headers: { 'if-modified-since': date } })
    expect([modified.status, modified.headers.etag]).toEqual([304, headers.etag])
    const unmodified = await send(endpoint, {
      path: '/bucket/dated',
      headers: { 'if-unmodified-since': date },
    })
    expect(unmodified.status).toBe(200)
  })

  it('ignore invalid ranges', async () => {
    await put(endpoint, '/bucket/digits', '0123456789')
    for (const range of ['bytes=5-2', 'bytes=-', 'lines=1-2', 'bytes=0-1,3-4']) {
      expect((await send(endpoint, { path: '/bucket/digits', headers: { range } })).status).toBe(200)
    }
    expect((await send(endpoint, { path: '/bucket/digits', headers: { range: 'bytes=-0' } })).code).toBe(
      'InvalidRange',
    )
  })

  it('keep non-ASCII headers, and limit metadata to 2 KB', async () => {
    const query = `response-content-disposition=${encodeURIComponent('attachment; filename="ü\r\n.jpg"').replace(/\*/g, '%2A')}`
    const { headers } = await send(endpoint, { path: '/bucket/digits', query })
    const disposition = Buffer.from(`${headers['content-disposition']}`, 'latin1').toString()
    expect(disposition).toBe('attachment; filename="ü  .jpg"')
    const tooMuch = { 'x-amz-meta-a': 'x'.repeat(2048) }
    expect((await put(endpoint, '/bucket/a', '', tooMuch)).code).toBe('MetadataTooLarge')
  })

  it('copy a part from another object', async () => {
    await put(endpoint, '/bucket/source%20%C3%BC', '0123456789')
    const begun = await send(endpoint, { method: 'POST', path: '/bucket/whole', query: 'uploads=' })
    const id = /<UploadId>(\w+)</.exec(begun.text)?.[1]
    const part = await send(endpoint, {
      method: 'PUT',
      path: '/bucket/whole',
      query: `partNumber=1&uploadId=${id}`,
      headers: { 'x-amz-copy-source': 'bucket/source%20%C3%BC', 'x-amz-copy-source-range': 'bytes=2-4' },
    })
    const etag = /<ETag>(.*?)<\/ETag>/.exec(part.text)?.[1]
    const body = `<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>${etag}</ETag></Part></CompleteMultipartUpload>`
    await send(endpoint, { method: 'POST', path: '/bucket/whole', query: `uploadId=${id}`, body })
    expect((await send(endpoint, { path: '/bucket/whole' })).text).toBe('234')
  })
})

describe('signatures of requests to the embedded store', () => {
  it('are refused if made with another secret or too long ago', async () => {
    expect((await send(endpoint, { path: '/', secret: 'wrong' })).code).toBe('SignatureDoesNotMatch')
    expect((await send(endpoint, { path: '/', date: '20200101T000000Z' })).code).toBe('RequestTimeTooSkewed')
  })

  it('are checked before anything else is revealed', async () => {
    const { headers } = signHeaders(endpoint, { path: '/bucket' })
    const wrongKey = { ...headers, authorization: `${headers.authorization}`.replace('access/', 'other/') }
    expect((await sendRaw(endpoint, { path: '/bucket', headers: wrongKey })).code).toBe('InvalidAccessKeyId')
    const version2 = { authorization: 'AWS access:c2lnbmF0dXJl' }
    expect((await sendRaw(endpoint, { path: '/missing', headers: version2 })).code).toBe('InvalidRequest')
    expect((await sendRaw(endpoint, { path: '/missing' })).code).toBe('AccessDenied')
  })

  it('in a URL expire, and cannot be changed', async () => {
    await put(endpoint, '/bucket/signed', 'hello')
    const good = presign(endpoint, '/bucket/signed')
    expect((await sendRaw(endpoint, good)).text).toBe('hello')
    const longer = { ...good, query: good.query?.replace('Expires=60', 'Expires=600') }
    expect((await sendRaw(endpoint, longer)).code).toBe('SignatureDoesNotMatch')
    expect((await sendRaw(endpoint, { ...good, method: 'DELETE' })).code).toBe('SignatureDoesNotMatch')
    expect((await sendRaw(endpoint, { ...good, path: '/bucket/digits' })).code).toBe('SignatureDoesNotMatch')
    const old = await sendRaw(endpoint, presign(endpoint, '/bucket/signed', { date: '20200101T000000Z' }))
    expect([old.status, old.code, old.text]).toEqual([
      403,
      'AccessDenied',
      expect.stringContaining('has expired'),
    ])
    const tooLong = presign(endpoint, '/bucket/signed', { expires: '604801' })
    expect((await sendRaw(endpoint, tooLong)).code).toBe('AuthorizationHeaderMalformed')
  })
})

describe('bodies sent to the embedded store', () => {
  const status = async (path: string): Promise<number> => (await send(endpoint, { path })).status

  it('must match the signed hash', async () => {
    const headers = { 'x-amz-content-sha256': sha256('other') }
    expect((await put(endpoint, '/bucket/hash', 'body', headers)).code).toBe('XAmzContentSHA256Mismatch')
    expect((await put(endpoint, '/bucket/hash', 'b', { 'x-amz-content-sha256': 'none' })).code).toBe(
      'InvalidArgument',
    )
    expect(await status('/bucket/hash')).toBe(404)
    expect(
      (await put(endpoint, '/bucket/hash', 'b', { 'x-amz-content-sha256': 'UNSIGNED-PAYLOAD' })).status,
    ).toBe(200)
  })

  // crc32 is the check value of its polynomial; Node.js computes the digests.
  it.each([
    ['crc32', 'y/Q5Jg=='],
    ['sha1', createHash('sha1').update('123456789').digest('base64')],
    ['sha256', createHash('sha256').update('123456789').digest('base64')],
  ])('must match the given %s', async (algorithm, sum) => {
    const name = `x-amz-checksum-${algorithm}`
    expect((await put(endpoint, '/bucket/sum', '123456780', { [name]: sum })).code).toBe('BadDigest')
    expect((await put(endpoint, '/bucket/sum', '123456789', { [name]: sum })).status).toBe(200)
  })

  it('may come in unsigned chunks with a trailing checksum, as current SDKs send them', async () => {
    const sent = (sum: string, length = 11): Sent => ({
      method: 'PUT',
      path: '/bucket/trailer',
      headers: {
        'content-encoding': 'gzip,aws-chunked',
        'x-amz-content-sha256': 'STREAMING-UNSIGNED-PAYLOAD-TRAILER',
        'x-amz-decoded-content-length': `${length}`,
        'x-amz-trailer': 'x-amz-checksum-crc32',
      },
      body: `6\r\nhello \r\n5\r\nworld\r\n0\r\nx-amz-checksum-crc32:${sum}\r\n\r\n`,
    })
    expect((await send(endpoint, sent('AAAAAA=='))).code).toBe('BadDigest')
    expect((await send(endpoint, sent('DUoRhQ==', 12))).code).toBe('IncompleteBody')
    expect(await status('/bucket/trailer')).toBe(404)
    expect((await send(endpoint, sent('DUoRhQ=='))).status).toBe(200)
    const stored = await send(endpoint, { path: '/bucket/trailer' })
    expect([stored.text, stored.headers['content-encoding']]).toEqual(['hello world', 'gzip'])
  })

  it('may come in signed chunks, each of which is checked', async () => {
    const path = '/bucket/chunks'
    const chunked = (tampered = ''): Sent => {
      const base: Sent = {
        method: 'PUT',
        path,
        headers: {
          'content-encoding': 'aws-chunked',
          'x-amz-content-sha256': 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD',
          'x-amz-decoded-content-length': '10',
        },
      }
      const { headers, signature, date } = signHeaders(endpoint, base)
      const day = date.slice(0, 8)
      let previous = signature
      const body = ['01234', '56789', ''].map((data) => {
        const lines = ['AWS4-HMAC-SHA256-PAYLOAD', date, scopeOf(day), previous, sha256(''), sha256(data)]
        previous = hmac(signingKey(day), lines.join('\n')).toString('hex')
        return `${data.length.toString(16)};chunk-signature=${previous}\r\n${data.replace('9', tampered || '9')}\r\n`
      })
      return { ...base, headers, body: body.join('') }
    }
    expect((await sendRaw(endpoint, chunked('0'))).code).toBe('SignatureDoesNotMatch')
    expect(await status(path)).toBe(404)
    expect((await sendRaw(endpoint, chunked())).status).toBe(200)
    expect((await send(endpoint, { path })).text).toBe('0123456789')
  })

  it('are drained when refused, so that the client gets the answer', async () => {
    const body = Buffer.alloc(8 * 1024 * 1024)
    expect((await put(endpoint, '/missing/large', body)).code).toBe('NoSuchBucket')
    expect((await send(endpoint, { method: 'PUT', path: '/bucket/a', body, secret: 'wrong' })).status).toBe(
      403,
    )
  })
})

it('reports its own region and owner', async () => {
  const { text } = await send(endpoint, { path: '/bucket', query: 'location=' })
  expect([region, text]).toEqual([
    'us-east-1',
    expect.stringMatching(/<LocationConstraint[^>]*><\/LocationConstraint>$/),
  ])
  expect((await send(endpoint, { path: '/' })).text).not.toContain(credentials.secretAccessKey)
})
