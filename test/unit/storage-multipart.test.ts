import { randomBytes } from 'node:crypto'
import { partBytes } from '../../src/storage/multipart'
import { type Bucket, openStore } from '../../src/storage/store'
import { passOn, startStoreProxy } from '../helpers/store-proxy'
import { startTestStore, type TestStore } from './batch-fixtures'

let objects: TestStore
let bucket: Bucket

beforeAll(async () => {
  objects = await startTestStore()
})
afterAll(() => objects.close())
beforeEach(async () => {
  bucket = await objects.newBucket()
})

const text = 'text/plain'

describe('a multipart upload', () => {
  it('is an object only once it is completed', async () => {
    const [one, two] = [randomBytes(partBytes), randomBytes(10)]
    const upload = await bucket.beginUpload('a', text)
    const etags = [await bucket.uploadPart('a', upload, 1, one), await bucket.uploadPart('a', upload, 2, two)]
    expect(await bucket.head('a')).toBeUndefined()
    await bucket.completeUpload('a', upload, etags)
    expect((await bucket.get('a')).body.equals(Buffer.concat([one, two]))).toBe(true)
    expect(await objects.unfinishedUploads(bucket)).toEqual([])
  })

  it('may be completed again after a lost answer', async () => {
    const upload = await bucket.beginUpload('a', text)
    const etags = [await bucket.uploadPart('a', upload, 1, Buffer.from('whole'))]
    await bucket.completeUpload('a', upload, etags)
    await bucket.completeUpload('a', upload, etags)
    expect((await bucket.get('a')).body.toString()).toBe('whole')
  })

  it('that is gone does not count as completed if another object exists', async () => {
    const upload = await bucket.beginUpload('a', text)
    const etags = [await bucket.uploadPart('a', upload, 1, Buffer.from('mine'))]
    await bucket.abortUpload('a', upload)
    const gone = { code: 'upload_not_found', retryable: false }
    await expect(bucket.completeUpload('a', upload, etags)).rejects.toMatchObject(gone)
    await bucket.put('a', 'mine')
    await expect(bucket.completeUpload('a', upload, etags)).rejects.toMatchObject(gone)
    await expect(bucket.uploadPart('a', upload, 2, Buffer.from('x'))).rejects.toMatchObject(gone)
  })

  it('may consist of existing objects, without reading them', async () => {
    const large = 'x'.repeat(partBytes)
    const from = 'odd/ü n&d%41+?😀'
    await bucket.put(from, large)
    const upload = await bucket.beginUpload('a', text)
    const etags = [
      await bucket.copyPart('a', upload, 1, from),
      await bucket.uploadPart('a', upload, 2, Buffer.from('end')),
    ]
    await bucket.completeUpload('a', upload, etags)
    expect((await bucket.get('a')).body.toString()).toBe(`${large}end`)
  })

  it('replaces only the expected version', async () => {
    const complete = async (replaces: string | null) => {
      const upload = await bucket.beginUpload('a', text)
      const etags = [await bucket.uploadPart('a', upload, 1, Buffer.from('new'))]
      await bucket.completeUpload('a', upload, etags, replaces)
    }
    const etag = await bucket.put('a', 'old')
    const other = { code: 'precondition_failed' }
    await expect(complete(null)).rejects.toMatchObject(other)
    await expect(complete('0123456789abcdef0123456789abcdef')).rejects.toMatchObject(other)
    await complete(etag)
    expect((await bucket.get('a')).body.toString()).toBe('new')
  })

  it('is completed without a precondition if the store does not support it', async () => {
    const proxy = await startStoreProxy(
      objects.settings.s3Endpoint ?? '',
      async (incoming, outgoing, onward) => {
        if (incoming.method !== 'POST' || !incoming.headers['if-none-match'])
          return passOn(await onward(), outgoing)
        incoming.resume()
        outgoing.writeHead(501, { 'content-type': 'application/xml' })
        outgoing.end(
          '<Error><Code>NotImplemented</Code><Message>A header is not implemented</Message></Error>',
        )
      },
    )
    const other = openStore({ ...objects.settings, s3Endpoint: proxy.endpoint }).bucket(bucket.name)
    const upload = await other.beginUpload('a', text)
    const etags = [await other.uploadPart('a', upload, 1, Buffer.from('new'))]
    await other.completeUpload('a', upload, etags, null)
    expect((await bucket.get('a')).body.toString()).toBe('new')
    await proxy.close()
  })

  it('may be aborted twice, and leaves nothing', async () => {
    const upload = await bucket.beginUpload('a', text)
    await bucket.uploadPart('a', upload, 1, Buffer.from('x'))
    expect(await objects.unfinishedUploads(bucket)).toEqual(['a'])
    await bucket.abortUpload('a', upload)
    await bucket.abortUpload('a', upload)
    expect(await objects.unfinishedUploads(bucket)).toEqual([])
  })
})

describe('a stream written in parts', () => {
  async function* pieces(bytes: number, fails = false) {
    for (let at = 0; at < bytes; at += 1_000_000) yield Buffer.alloc(Math.min(1_000_000, bytes - at), 'x')
    if (fails) throw new Error('broken off')
  }

  it.each([0, 1, partBytes - 1, partBytes, partBytes + 1, 2 * partBytes, 2 * partBytes + 7])(
    'has all its %d bytes, and the returned etag',
    async (size) => {
      const etag = await bucket.putStream('a', pieces(size), text)
      expect(await bucket.head('a')).toMatchObject({ size, etag })
    },
  )

  it.each([10, partBytes + 10, 3 * partBytes])(
    'leaves nothing if it breaks after %d bytes, once that is reported',
    async (size) => {
      await expect(bucket.putStream('a', pieces(size, true), text)).rejects.toThrow('broken off')
      expect(await objects.unfinishedUploads(bucket)).toEqual([])
      expect(await bucket.head('a')).toBeUndefined()
    },
  )
})
