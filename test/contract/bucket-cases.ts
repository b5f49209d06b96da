import { createHash, randomBytes } from 'node:crypto'
import { Readable } from 'node:stream'
import type { Bucket } from '../../src/storage/store'
import { codeOf, collect } from '../helpers/async'

const mebibyte = 1024 * 1024

/** In listing order: by UTF-8 bytes. */
const orderedKeys = [
  'A.jpg',
  'a b+c&d%41#.jpg',
  'a.jpg',
  'a/b.jpg',
  'a0.jpg',
  'z~',
  'ünï/ç.jpg',
  '\uff5e',
  '😀/b.jpg',
]

const md5 = (bytes: Buffer | string): string => createHash('md5').update(bytes).digest('hex')

/** Requirements on every implementation of `Bucket`, remote or in memory. @param open creates a new, empty bucket */
export function bucketContract(open: () => Promise<Bucket>): void {
  let bucket: Bucket
  beforeEach(async () => {
    bucket = await open()
  })

  const keys = async (options?: { prefix?: string; startAfter?: string }): Promise<string[]> =>
    (await collect(bucket.list(options))).map(({ key }) => key)

  describe('objects', () => {
    it('returns an object as written, with metadata and the MD5 as etag', async () => {
      const body = randomBytes(3000)
      const etag = await bucket.put('a', body, { metadata: { camera: 'one' }, contentType: 'image/jpeg' })
      const found = await bucket.get('a')
      expect(found).toMatchObject({ key: 'a', etag: md5(body), size: 3000, metadata: { camera: 'one' } })
      expect([etag, body.equals(found.body)]).toEqual([md5(body), true])
      expect(await bucket.head('a')).toEqual({ key: 'a', etag, size: 3000, lastModified: found.lastModified })
    })

    it('reports times in whole seconds of one clock', async () => {
      await bucket.put('a', 'x')
      const { servedAt, lastModified } = await bucket.get('a')
      expect(lastModified).toMatch(/\.000Z$/)
      expect(servedAt % 1000).toBe(0)
      expect(servedAt - Date.parse(lastModified)).toBeGreaterThanOrEqual(0)
    })

    it('distinguishes a missing object from other errors', async () => {
      expect(await bucket.find('missing')).toBeUndefined()
      expect(await bucket.head('missing')).toBeUndefined()
      await expect(bucket.get('missing')).rejects.toMatchObject({
        code: 'object_not_found',
        retryable: false,
      })
      await bucket.delete('missing')
      await bucket.deleteAll(['missing', 'gone'])
    })

    it('does not read an object above the size limit', async () => {
      await bucket.put('a', '12345')
      await expect(bucket.get('a', 4)).rejects.toMatchObject({ code: 'object_too_large' })
      expect((await bucket.get('a', 5)).size).toBe(5)
    })

    it('reads the end of an object, all of a shorter one, and any range of a version', async () => {
      const etag = await bucket.put('a', '0123456789')
      const text = ({ body, ...end }: Awaited<ReturnType<Bucket['ending']>>) => [body.toString(), end]
      expect(text(await bucket.ending('a', 4))).toEqual(['6789', { etag, size: 10 }])
      expect(text(await bucket.ending('a', 10))).toEqual(['0123456789', { etag, size: 10 }])
      expect(text(await bucket.ending('a', 4000))).toEqual(['0123456789', { etag, size: 10 }])
      expect((await bucket.range('a', 2, 5, etag)).toString()).toBe('234')
      await bucket.put('a', 'another one')
      expect(await codeOf(bucket.range('a', 2, 5, etag))).toBe('precondition_failed')
      expect(await codeOf(bucket.range('missing', 2, 5, etag))).toBe('object_not_found')
      expect(await codeOf(bucket.ending('missing', 4))).toBe('object_not_found')
    })

    it('deletes objects', async () => {
      for (const key of orderedKeys) await bucket.put(key, key)
      await bucket.delete('a.jpg')
      await bucket.deleteAll(orderedKeys.slice(3))
      expect(await keys()).toEqual(orderedKeys.slice(0, 2))
    })

    it('writes a stream', async () => {
      await bucket.putStream('a', Readable.from([Buffer.from('one '), Buffer.from('two')]), 'text/plain')
      expect((await bucket.get('a')).body.toString()).toBe('one two')
    })
  })

  describe('conditional writes', () => {
    it('creates only a missing object', async () => {
      await bucket.put('a', 'first', { replaces: null })
      expect(await codeOf(bucket.put('a', 'second', { replaces: null }))).toBe('precondition_failed')
      expect((await bucket.get('a')).body.toString()).toBe('first')
    })

    it('replaces only the expected version', async () => {
      const first = await bucket.put('a', 'first')
      await bucket.put('a', 'second', { replaces: first })
      expect(await codeOf(bucket.put('a', 'third', { replaces: first }))).toBe('precondition_failed')
      expect(await codeOf(bucket.put('missing', 'third', { replaces: first }))).toBe('precondition_failed')
      expect((await bucket.get('a')).body.toString()).toBe('second')
      expect(await bucket.head('missing')).toBeUndefined()
    })
  })

  describe('listings', () => {
    it('are in the order of UTF-8 bytes, and agree with HEAD', async () => {
      for (const key of [...orderedKeys].reverse()) await bucket.put(key, key)
      const listed = await collect(bucket.list())
      expect(listed.map(({ key }) => key)).toEqual(orderedKeys)
      const seconds = (time = '') => time.slice(0, 19)
      for (const { key, etag, size, lastModified } of listed) {
        const head = await bucket.head(key)
        expect(head).toMatchObject({ key, etag, size })
        expect(seconds(lastModified)).toBe(seconds(head?.lastModified))
      }
    })

    it('start with a prefix, and after a key, existing or not', async () => {
      for (const key of ['a/1', 'a/2', 'a/3', 'b/1']) await bucket.put(key, key)
      expect(await keys({ prefix: 'a/' })).toEqual(['a/1', 'a/2', 'a/3'])
      expect(await keys({ prefix: 'a/', startAfter: 'a/1' })).toEqual(['a/2', 'a/3'])
      expect(await keys({ prefix: 'a/', startAfter: 'a/11' })).toEqual(['a/2', 'a/3'])
      expect(await keys({ prefix: 'a/', startAfter: 'A' })).toEqual(['a/1', 'a/2', 'a/3'])
      expect(await keys({ prefix: 'a/', startAfter: 'b' })).toEqual([])
      expect(await keys({ prefix: 'a/2' })).toEqual(['a/2'])
      expect(await keys({ startAfter: 'a/3' })).toEqual(['b/1'])
      expect(await keys({ prefix: 'c' })).toEqual([])
    })

    it('list each folder once', async () => {
      for (const key of ['f/a/1', 'f/a/2', 'f/a0', 'f/b/c/1', 'f/é/1', 'g/1']) await bucket.put(key, key)
      expect(await collect(bucket.folders('f/'))).toEqual(['a', 'b', 'é'])
      expect(await collect(bucket.folders('x/'))).toEqual([])
    })
  })

  describe('lines', () => {
    const text = 'one\nzwei ü\n😀 three\n\nlast'

    it.each([1, 3, 7, 1000])('are complete, read %i bytes at a time', async (blockBytes) => {
      await bucket.put('a', text)
      expect(await collect(bucket.lines('a', { blockBytes }))).toEqual(text.split('\n'))
      expect(await collect(bucket.lines('a', { blockBytes, from: 4 }))).toEqual(text.split('\n').slice(1))
    })

    it('are of a single version', async () => {
      const etag = await bucket.put('a', text)
      const reading = bucket.lines('a', { blockBytes: 4 })[Symbol.asyncIterator]()
      await reading.next()
      await bucket.put('a', text.toUpperCase())
      expect(await codeOf(collect({ [Symbol.asyncIterator]: () => reading }))).toBe('precondition_failed')
      expect(await codeOf(collect(bucket.lines('a', { etag })))).toBe('precondition_failed')
      expect(await codeOf(collect(bucket.lines('missing')))).toBe('object_not_found')
    })

    it('of an empty object are none', async () => {
      await bucket.put('a', '')
      expect(await collect(bucket.lines('a'))).toEqual([])
    })
  })

  describe('multipart uploads', () => {
    const large = randomBytes(5 * mebibyte)

    it('join parts and copies', async () => {
      await bucket.put('ü/source', large)
      const upload = await bucket.beginUpload('a', 'text/plain')
      const first = await bucket.copyPart('a', upload, 1, 'ü/source')
      const second = await bucket.uploadPart('a', upload, 2, Buffer.from('the end'))
      expect(await bucket.head('a')).toBeUndefined()
      await bucket.completeUpload('a', upload, [first, second])
      const found = await bucket.get('a')
      const digests = Buffer.concat([md5(large), md5('the end')].map((etag) => Buffer.from(etag, 'hex')))
      expect(found.etag).toBe(`${md5(digests)}-2`)
      expect(Buffer.concat([large, Buffer.from('the end')]).equals(found.body)).toBe(true)
    })

    it('completed twice are completed once', async () => {
      const upload = await bucket.beginUpload('a', 'text/plain')
      const etag = await bucket.uploadPart('a', upload, 1, Buffer.from('x'))
      await bucket.completeUpload('a', upload, [etag])
      await bucket.completeUpload('a', upload, [etag])
      await bucket.put('a', 'another')
      expect(await codeOf(bucket.completeUpload('a', upload, [etag]))).toBe('upload_not_found')
    })

    it('complete only over the expected version', async () => {
      const upload = await bucket.beginUpload('a', 'text/plain')
      const part = await bucket.uploadPart('a', upload, 1, Buffer.from('x'))
      const etag = await bucket.put('a', 'first')
      expect(await codeOf(bucket.completeUpload('a', upload, [part], null))).toBe('precondition_failed')
      expect(await codeOf(bucket.completeUpload('a', upload, [part], md5('other')))).toBe(
        'precondition_failed',
      )
      expect((await bucket.get('a')).body.toString()).toBe('first')
      await bucket.completeUpload('a', upload, [part], etag)
      expect((await bucket.get('a')).body.toString()).toBe('x')
    })

    it('refuse small and missing parts', async () => {
      const upload = await bucket.beginUpload('a', 'text/plain')
      const etags = [
        await bucket.uploadPart('a', upload, 1, Buffer.from('small')),
        await bucket.uploadPart('a', upload, 2, Buffer.from('last')),
      ]
      expect(await codeOf(bucket.completeUpload('a', upload, etags))).toBe('store_failed')
      expect(await codeOf(bucket.copyPart('a', upload, 1, 'missing'))).toBe('object_not_found')
      await bucket.abortUpload('a', upload)
      await bucket.abortUpload('a', upload)
      expect(await codeOf(bucket.uploadPart('a', upload, 1, Buffer.from('x')))).toBe('upload_not_found')
      expect(await bucket.head('a')).toBeUndefined()
    })
  })
}
