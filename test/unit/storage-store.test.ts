import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { PassThrough, Readable } from 'node:stream'
import fc from 'fast-check'
import pLimit from 'p-limit'
import { hintOf, StorageError } from '../../src/errors'
import { asStorageError } from '../../src/storage/errors'
import { type Bucket, openStore } from '../../src/storage/store'
import { anyKeys, collect, inBytes, setClock, startTestStore, type TestStore } from './batch-fixtures'

let objects: TestStore
let bucket: Bucket

beforeAll(async () => {
  objects = await startTestStore()
})
afterAll(() => objects.close())
beforeEach(async () => {
  bucket = await objects.newBucket()
})

describe('an object', () => {
  it('is read back as written', async () => {
    const metadata = { source: 'test' }
    const etag = await bucket.put('x/😀 a+b%.bin', Buffer.from([0, 255]), {
      metadata,
      contentType: 'image/png',
    })
    expect(await bucket.get('x/😀 a+b%.bin')).toEqual({
      key: 'x/😀 a+b%.bin',
      body: Buffer.from([0, 255]),
      etag,
      size: 2,
      lastModified: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.000Z$/),
      servedAt: expect.any(Number),
      metadata,
    })
    expect(etag).toMatch(/^[0-9a-f]{32}$/)
  })

  it('that is missing is undefined to find and head, and an error to get', async () => {
    expect(await bucket.find('none')).toBeUndefined()
    expect(await bucket.head('none')).toBeUndefined()
    await expect(bucket.get('none')).rejects.toMatchObject({
      name: 'StorageError',
      code: 'object_not_found',
      status: 404,
      retryable: false,
      message: expect.stringContaining(`s3://${bucket.name}/none`),
    })
  })

  it('above the size limit is refused by its declared size', async () => {
    await bucket.put('a', Buffer.alloc(1001))
    await expect(bucket.get('a', 1000)).rejects.toMatchObject({ code: 'object_too_large', retryable: false })
    expect((await bucket.get('a', 1001)).size).toBe(1001)
  })

  it('that is missing is not mistaken for a large one, even if the answer has a length', async () => {
    await expect(bucket.get('none', 10)).rejects.toMatchObject({ code: 'object_not_found' })
  })

  it('is gone once deleted, and may be deleted twice', async () => {
    await bucket.put('a', 'v1')
    await bucket.delete('a')
    await bucket.delete('a')
    expect(await bucket.find('a')).toBeUndefined()
  })

  it('of any size is written as a stream', async () => {
    const chunk = Buffer.alloc(1024 * 1024, 'x')
    await bucket.putStream(
      'large',
      Readable.from(
        Array.from({ length: 11 }, () => chunk),
        { objectMode: false },
      ),
      'text/plain',
    )
    expect((await bucket.head('large'))?.size).toBe(11 * 1024 * 1024)
    await bucket.putStream('empty', Readable.from([]), 'text/plain')
    expect((await bucket.get('empty')).size).toBe(0)
  })

  it('is not written when its stream fails', async () => {
    const stream = new PassThrough()
    const written = bucket.putStream('a', stream, 'text/plain')
    stream.write('half')
    stream.destroy(new Error('Nothing more to come'))
    await expect(written).rejects.toThrow('Nothing more to come')
    expect(await bucket.find('a')).toBeUndefined()
  })

  it('is read through a presigned URL without credentials', async () => {
    await bucket.put('x/😀 a+b.txt', 'content')
    const answer = await fetch(bucket.presign('x/😀 a+b.txt', 60))
    expect(await answer.text()).toBe('content')
  })
})

describe('many objects', () => {
  it('are deleted, more than one request can name, and no others', async () => {
    const keys = Array.from({ length: 2005 }, (_, at) => `many/<${at}> & "é😀"\n`)
    const put = pLimit(50)
    await Promise.all([...keys, 'many', 'many/'].map((key) => put(() => bucket.put(key, ''))))
    await bucket.deleteAll([...keys, 'many/not there'])
    expect((await collect(bucket.list())).map(({ key }) => key)).toEqual(['many', 'many/'])
    await bucket.deleteAll([])
  })

  it('are an error if one of them cannot be deleted, with its key', async () => {
    const server = createServer(async (request, response) => {
      await request.toArray()
      response.end(
        '<DeleteResult><Error><Key>b</Key><Code>AccessDenied</Code><Message>Not yours</Message></Error></DeleteResult>',
      )
    }).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    const refusing = openStore({ ...objects.settings, s3Endpoint: `http://127.0.0.1:${port}` }).bucket('x')
    await expect(refusing.deleteAll(['a', 'b'])).rejects.toMatchObject({
      code: 'access_denied',
      retryable: false,
      message: expect.stringContaining('s3://x/b: AccessDenied Not yours'),
    })
    server.close()
  })
})

describe('a write with a precondition', () => {
  it('succeeds if the expected version exists', async () => {
    const first = await bucket.put('a', 'v1', { replaces: null })
    const second = await bucket.put('a', 'v2', { replaces: first })
    expect((await bucket.get('a')).etag).toBe(second)
  })

  it('is refused if an object, or another version, exists', async () => {
    const first = await bucket.put('a', 'v1')
    await bucket.put('a', 'v2')
    const refused = { code: 'precondition_failed', retryable: false }
    await expect(bucket.put('a', 'v3', { replaces: null })).rejects.toMatchObject(refused)
    await expect(bucket.put('a', 'v3', { replaces: first })).rejects.toMatchObject(refused)
    expect((await bucket.get('a')).body.toString()).toBe('v2')
  })

  it('is refused if the version to replace is gone', async () => {
    const etag = await bucket.put('a', 'v1')
    await bucket.delete('a')
    await expect(bucket.put('a', 'v2', { replaces: etag })).rejects.toMatchObject({
      code: 'precondition_failed',
    })
  })

  it('lets one of many win', async () => {
    const writes = await Promise.allSettled(
      Array.from({ length: 10 }, (_, number) => bucket.put('a', `v${number}`, { replaces: null })),
    )
    expect(writes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
  })
})

describe('a listing', () => {
  const write = async (keys: string[]): Promise<void> => {
    for (const key of keys) await bucket.put(key, 'x')
  }
  const listed = async (options?: Parameters<Bucket['list']>[0]) =>
    (await collect(bucket.list(options))).map(({ key }) => key)

  it('is in the order of the keys’ bytes, whatever they contain', async () => {
    await fc.assert(
      fc.asyncProperty(anyKeys(12), async (keys) => {
        bucket = await objects.newBucket()
        await write(keys)
        expect(await listed()).toEqual([...keys].sort(inBytes))
      }),
      { numRuns: 8 },
    )
  })

  it('starts after a key and honours a prefix', async () => {
    await write(['a', 'b/1', 'b/2', 'b/3', 'c'])
    expect(await listed({ prefix: 'b/' })).toEqual(['b/1', 'b/2', 'b/3'])
    expect(await listed({ prefix: 'b/', startAfter: 'b/1' })).toEqual(['b/2', 'b/3'])
    expect(await listed({ startAfter: 'b/' })).toEqual(['b/1', 'b/2', 'b/3', 'c'])
  })

  it('continues beyond a page', async () => {
    // A page has up to 1,000 keys.
    const keys = Array.from({ length: 1003 }, (_, number) => `k${String(number).padStart(4, '0')}`)
    for (let at = 0; at < keys.length; at += 50)
      await Promise.all(keys.slice(at, at + 50).map((key) => bucket.put(key, '')))
    expect(await listed()).toEqual(keys)
    expect(await listed({ startAfter: 'k0001' })).toHaveLength(1001)
  })

  it('agrees with the objects', async () => {
    const etag = await bucket.put('a', 'abc')
    expect(await collect(bucket.list())).toEqual([await bucket.head('a')])
    expect((await bucket.head('a'))?.etag).toBe(etag)
  })

  it('of folders names each once', async () => {
    await write(['batches/b1/plan.json', 'batches/b1/parts/1', 'batches/b 2/x', 'batches/😀/x', 'other/x'])
    expect(await collect(bucket.folders('batches/'))).toEqual(['b 2', 'b1', '😀'])
  })

  it('of a missing bucket is an error that says what to do', async () => {
    const error = await collect(objects.store.bucket('nowhere').list()).catch((thrown) => thrown)
    expect(error).toMatchObject({ code: 'bucket_not_found' })
    expect(hintOf(error)).toContain('WHISKLENS_IMAGES_BUCKET')
  })
})

describe('the lines of a text', () => {
  const lines = (key: string): Promise<string[]> => collect(bucket.lines(key))

  it('are read one by one', async () => {
    await bucket.put('a', 'one\ntwo\n\nthree\n')
    expect(await lines('a')).toEqual(['one', 'two', '', 'three'])
    await bucket.put('empty', '')
    expect(await lines('empty')).toEqual([])
    await bucket.put('unended', 'one\ntwo')
    expect(await lines('unended')).toEqual(['one', 'two'])
  })

  it('end at line feeds only: JSON may contain every other line separator', async () => {
    const values = ['a\u2028b', 'a\u2029b', 'a\u0085b', 'a\rb', '😀']
    await bucket.put('a', values.map((value) => `${JSON.stringify(value)}\n`).join(''))
    expect((await lines('a')).map((line) => JSON.parse(line))).toEqual(values)
  })

  it('are complete however long the text is, and wherever it is split on its way', async () => {
    const text = Array.from({ length: 20_000 }, (_, number) => `${number} 😀é～ ${'x'.repeat(number % 97)}`)
    await bucket.put('a', `${text.join('\n')}\n`)
    expect(await lines('a')).toEqual(text)
  })

  it('are complete wherever blocks are split, and from any line', async () => {
    const anyText = fc.array(fc.constantFrom('', 'a', 'é～', '😀', 'long '.repeat(9)), { maxLength: 8 })
    await fc.assert(
      fc.asyncProperty(
        anyText,
        fc.integer({ min: 1, max: 40 }),
        fc.nat(8),
        async (text, blockBytes, first) => {
          const ended = text.map((line) => `${line}\n`)
          await bucket.put('a', ended.join(''))
          const from = Buffer.byteLength(ended.slice(0, first).join(''))
          expect(await collect(bucket.lines('a', { from, blockBytes }))).toEqual(text.slice(first))
        },
      ),
      { numRuns: 40 },
    )
  })

  it('are of one version: replacing the text meanwhile is an error', async () => {
    await bucket.put('a', 'v1\nv1\n')
    const read = bucket.lines('a', { blockBytes: 3 })[Symbol.asyncIterator]()
    expect((await read.next()).value).toBe('v1')
    await bucket.put('a', 'v2\nv2\n')
    await expect(read.next()).rejects.toMatchObject({ code: 'precondition_failed' })
  })

  it('are of the requested version, or an error', async () => {
    const etag = await bucket.put('a', 'v1\n')
    expect(await collect(bucket.lines('a', { etag }))).toEqual(['v1'])
    await bucket.put('a', 'v2\n')
    await expect(collect(bucket.lines('a', { etag }))).rejects.toMatchObject({ code: 'precondition_failed' })
  })

  it('are fetched block by block, on demand', async () => {
    const text = 'one\ntwo\nsix\n'
    const ranges: string[] = []
    const server = createServer((request, response) => {
      const [, first, last] = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? '') ?? []
      ranges.push(`${first}-${last}`)
      response.writeHead(206, { etag: '"v1"', 'content-range': `bytes ${first}-${last}/${text.length}` })
      response.end(text.slice(Number(first), Number(last) + 1))
    }).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    const served = openStore({ ...objects.settings, s3Endpoint: `http://127.0.0.1:${port}` }).bucket('x')
    const read = served.lines('a', { blockBytes: 4 })[Symbol.asyncIterator]()
    expect((await read.next()).value).toBe('one')
    expect(ranges).toEqual(['0-3'])
    expect((await read.next()).value).toBe('two')
    expect(ranges).toEqual(['0-3', '4-7'])
    await read.return?.()
    expect(ranges).toHaveLength(2)
    server.close()
  })

  it('of a missing text are an error', async () => {
    await expect(lines('none')).rejects.toMatchObject({ name: 'StorageError', code: 'object_not_found' })
  })

  it('need not be read to the end', async () => {
    await bucket.put('a', 'one line\n'.repeat(500_000))
    for await (const line of bucket.lines('a')) {
      expect(line).toBe('one line')
      break
    }
    expect(await bucket.head('a')).toBeDefined()
  })
})

describe('a store', () => {
  it('is not opened without an address and credentials', () => {
    for (const name of ['s3Endpoint', 's3AccessKeyId', 's3SecretAccessKey']) {
      expect(() => openStore({ ...objects.settings, [name]: undefined })).toThrow(
        'No object store is configured',
      )
    }
  })

  it('creates a bucket once, and accepts an existing one', async () => {
    await bucket.createIfMissing()
    expect(await collect(bucket.list())).toEqual([])
  })

  it('that refuses the credentials is reported, and not retried', async () => {
    const stranger = openStore({ ...objects.settings, s3SecretAccessKey: 'wrong' }).bucket(bucket.name)
    const error = await stranger.get('a').catch((thrown) => thrown)
    expect(error).toMatchObject({ code: 'access_denied', status: 403, retryable: false })
    expect(hintOf(error)).toContain('WHISKLENS_S3_ACCESS_KEY_ID')
    await expect(stranger.put('a', 'v1')).rejects.toMatchObject({ code: 'access_denied' })
  })

  it('uses the clock of this machine', async () => {
    setClock('2031-01-01T00:00:00Z')
    await bucket.put('a', 'v1')
    expect((await bucket.head('a'))?.lastModified).toBe('2031-01-01T00:00:00.000Z')
    jest.useRealTimers()
  })
})

describe('an error of the SDK', () => {
  const of = (code: string, statusCode: number, retryable = false) =>
    asStorageError(
      Object.assign(new Error('It says so'), { code, statusCode, retryable }),
      'read s3://photos/a',
    )

  it.each([
    ['NoSuchKey', 404, 'object_not_found', false],
    ['NotFound', 404, 'object_not_found', false],
    ['NoSuchBucket', 404, 'bucket_not_found', false],
    ['PreconditionFailed', 412, 'precondition_failed', false],
    ['ConditionalRequestConflict', 409, 'precondition_failed', false],
    ['AccessDenied', 403, 'access_denied', false],
    ['InvalidAccessKeyId', 403, 'access_denied', false],
    ['NotImplemented', 501, 'not_implemented', false],
    ['InternalError', 500, 'store_failed', true],
    ['SlowDown', 503, 'store_failed', true],
    ['TooManyRequests', 429, 'store_failed', true],
    ['InvalidArgument', 400, 'store_failed', false],
    ['BucketNotEmpty', 409, 'store_failed', false],
  ])('%s (%d) is %s', (code, status, expected, retryable) => {
    expect(of(code, status)).toMatchObject({ code: expected, status, retryable })
  })

  it('without a response is retryable', () => {
    const error = asStorageError(
      Object.assign(new Error('socket hang up'), { code: 'NetworkingError' }),
      'read it',
    )
    expect(error).toMatchObject({ code: 'store_failed', status: 0, retryable: true })
    expect(error.message).toBe('Could not read it: NetworkingError socket hang up')
  })

  it('passes through if it is already ours', () => {
    const error = new StorageError('access_denied', 403, 'No')
    expect(asStorageError(error, 'read it')).toBe(error)
  })
})
