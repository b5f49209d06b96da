import { randomBytes } from 'node:crypto'
import { S3 } from 'ibm-cos-sdk'
import { codeOf } from '../helpers/async'
import { clientOf } from '../helpers/policy-cases'

/** Endpoint and credentials of a store. */
export interface Connection {
  endpoint: string
  region: string
  accessKeyId: string
  secretAccessKey: string
  /** Versioning is enabled in the bucket; must not change the results of these cases. */
  hasVersions?: boolean
  /** Conditional writes treat a deleted, versioned object as existing, unlike S3. */
  countsDeleted?: boolean
}

const mebibyte = 1024 * 1024

/** Legal keys that every server supports, in S3's listing order: by UTF-8 bytes. */
const orderedKeys = [
  '!*\'();:@&=+$,/?#[]"<>',
  'A.jpg',
  'a b+c&d%41#.jpg',
  'a.jpg',
  'a/b.jpg',
  'a0.jpg',
  'z~',
  'ünï/ç.jpg',
  '\uff5e fullwidth',
  '😀/😀 b.jpg',
]

/** Requirements on every S3 server, the embedded one and real ones. */
export function objectStoreContract(connect: () => Promise<Connection>): void {
  let s3: S3
  let keepsVersions = false
  let countsDeleted = false
  const Bucket = `contract-${randomBytes(6).toString('hex')}`

  const put = (Key: string, Body: string | Buffer = 'x', headers: Record<string, string> = {}) => {
    const request = s3.putObject({ Bucket, Key, Body })
    request.on('build', () => void Object.assign(request.httpRequest.headers, headers))
    return request.promise()
  }
  const get = (Key: string, more: Partial<S3.GetObjectRequest> = {}) =>
    s3.getObject({ Bucket, Key, ...more }).promise()
  const list = (more: Partial<S3.ListObjectsV2Request> = {}) =>
    s3.listObjectsV2({ Bucket, ...more }).promise()
  const keysOf = ({ Contents = [] }: { Contents?: S3.Object[] }) => Contents.map(({ Key }) => Key)
  const prefixesOf = ({ CommonPrefixes = [] }: { CommonPrefixes?: S3.CommonPrefix[] }) =>
    CommonPrefixes.map(({ Prefix }) => Prefix)

  /** Removes old versions and delete markers. */
  async function removeVersions(): Promise<void> {
    const { Versions = [], DeleteMarkers = [] } = await s3.listObjectVersions({ Bucket }).promise()
    const Objects = [...Versions, ...DeleteMarkers].map(({ Key = '', VersionId }) => ({ Key, VersionId }))
    if (Objects.length === 0) return
    await s3.deleteObjects({ Bucket, Delete: { Objects } }).promise()
    await removeVersions()
  }

  async function empty(): Promise<void> {
    for (let more = true; more; ) {
      const { Contents = [], IsTruncated } = await list()
      const Objects = Contents.map(({ Key = '' }) => ({ Key }))
      if (Objects.length > 0) await s3.deleteObjects({ Bucket, Delete: { Objects } }).promise()
      more = IsTruncated === true
    }
    if (keepsVersions) await removeVersions()
  }

  beforeAll(async () => {
    const connection = await connect()
    const { endpoint, region, accessKeyId, secretAccessKey } = connection
    s3 = clientOf(endpoint, { region, accessKeyId, secretAccessKey })
    await s3.createBucket({ Bucket }).promise()
    keepsVersions = connection.hasVersions === true
    countsDeleted = connection.countsDeleted === true
    if (!keepsVersions) return
    const VersioningConfiguration = { Status: 'Enabled' }
    await s3.putBucketVersioning({ Bucket, VersioningConfiguration }).promise()
  })

  afterEach(empty)

  afterAll(async () => {
    await s3.deleteBucket({ Bucket }).promise()
  })

  describe('buckets', () => {
    it('lists a created bucket', async () => {
      const { Buckets = [] } = await s3.listBuckets().promise()
      expect(Buckets.map(({ Name }) => Name)).toContain(Bucket)
      await s3.headBucket({ Bucket }).promise()
    })

    it('reports the location of a bucket', async () => {
      const { LocationConstraint } = await s3.getBucketLocation({ Bucket }).promise()
      expect(LocationConstraint || 'us-east-1').toBe(s3.config.region)
    })

    it('refuses to create a bucket twice', async () => {
      expect(await codeOf(s3.createBucket({ Bucket }).promise())).toBe('BucketAlreadyOwnedByYou')
    })

    it('refuses to delete a bucket with objects', async () => {
      await put('a')
      expect(await codeOf(s3.deleteBucket({ Bucket }).promise())).toBe('BucketNotEmpty')
    })

    it.each(['Upper-case', 'ab', 'under_score', '192.168.0.1', '-dash'])(
      'refuses the name %s',
      async (name) => {
        expect(await codeOf(s3.createBucket({ Bucket: name }).promise())).toBe('InvalidBucketName')
      },
    )

    it('distinguishes a missing bucket from a missing key', async () => {
      const missing = `${Bucket}-missing`
      expect(await codeOf(s3.getObject({ Bucket: missing, Key: 'a' }).promise())).toBe('NoSuchBucket')
      expect(await codeOf(s3.putObject({ Bucket: missing, Key: 'a' }).promise())).toBe('NoSuchBucket')
      expect(await codeOf(s3.listObjectsV2({ Bucket: missing }).promise())).toBe('NoSuchBucket')
      expect(await codeOf(get('missing'))).toBe('NoSuchKey')
      expect(await codeOf(s3.headObject({ Bucket, Key: 'missing' }).promise())).toBe('NotFound')
    })
  })

  describe('objects', () => {
    it('returns an object as written, with headers and metadata', async () => {
      const Body = randomBytes(100_000)
      const headers = {
        ContentType: 'image/jpeg',
        ContentEncoding: 'identity',
        CacheControl: 'max-age=60',
        ContentDisposition: 'attachment; filename="a.jpg"',
      }
      const { ETag } = await s3
        .putObject({ Bucket, Key: 'a', Body, Metadata: { camera: 'one two' }, ...headers })
        .promise()
      const object = await get('a')
      expect(object).toMatchObject({
        ETag,
        ContentLength: Body.length,
        Metadata: { camera: 'one two' },
        ...headers,
      })
      expect(Body.equals(object.Body as Buffer)).toBe(true)
      const head = await s3.headObject({ Bucket, Key: 'a' }).promise()
      expect(head).toMatchObject({
        ETag,
        ContentLength: Body.length,
        Metadata: { camera: 'one two' },
        ...headers,
      })
      expect(head.LastModified?.getMilliseconds()).toBe(0)
    })

    it('uses the MD5 of the bytes as ETag', async () => {
      const { ETag } = await put('a', 'hello')
      expect(ETag).toBe('"5d41402abc4b2a76b9719d911017c592"')
    })

    it('keeps an empty object', async () => {
      await put('empty', '')
      expect(await get('empty')).toMatchObject({ ContentLength: 0 })
    })

    it('replaces an object as a whole', async () => {
      await s3.putObject({ Bucket, Key: 'a', Body: 'first', Metadata: { old: '1' } }).promise()
      await put('a', 'second')
      expect(await get('a')).toMatchObject({ Body: Buffer.from('second'), Metadata: {} })
    })

    it('deletes an object, and accepts a missing one', async () => {
      await put('a')
      await s3.deleteObject({ Bucket, Key: 'a' }).promise()
      expect(await codeOf(get('a'))).toBe('NoSuchKey')
      await s3.deleteObject({ Bucket, Key: 'a' }).promise()
    })

    it('deletes many objects at once', async () => {
      for (const key of orderedKeys) await put(key)
      const Objects = [...orderedKeys, 'missing'].map((Key) => ({ Key }))
      const { Deleted = [], Errors = [] } = await s3.deleteObjects({ Bucket, Delete: { Objects } }).promise()
      expect(Errors).toEqual([])
      expect(Deleted.map(({ Key }) => Key).sort()).toEqual(Objects.map(({ Key }) => Key).sort())
      expect(keysOf(await list())).toEqual([])
    })

    it.each(orderedKeys)('preserves the key %s', async (Key) => {
      await put(Key, Key)
      expect((await get(Key)).Body?.toString()).toBe(Key)
      expect(keysOf(await list())).toEqual([Key])
    })

    it('accepts keys of up to 1,024 bytes', async () => {
      // With separators, for servers that store objects as files.
      const longest = `${'ü'.repeat(99)}/`.repeat(5) + 'k'.repeat(1024 - 5 * 199)
      await put(longest, 'long')
      expect(keysOf(await list())).toEqual([longest])
    })

    it('verifies Content-MD5', async () => {
      const wrong = { 'Content-MD5': Buffer.alloc(16).toString('base64') }
      expect(await codeOf(put('a', 'hello', wrong))).toBe('BadDigest')
      expect(await codeOf(put('a', 'hello', { 'Content-MD5': 'short' }))).toBe('InvalidDigest')
      expect(await codeOf(get('a'))).toBe('NoSuchKey')
    })

    it('streams an object that is larger than any buffer', async () => {
      const Body = randomBytes(12 * mebibyte)
      await put('large', Body)
      expect(Body.equals((await get('large')).Body as Buffer)).toBe(true)
    })
  })

  describe('a deleted object', () => {
    const deleted = async (together = false): Promise<string> => {
      const { ETag = '' } = await put('a/b', 'first')
      await put('a/b', 'second')
      if (together) await s3.deleteObjects({ Bucket, Delete: { Objects: [{ Key: 'a/b' }] } }).promise()
      else await s3.deleteObject({ Bucket, Key: 'a/b' }).promise()
      return ETag
    }

    it.each([false, true])('is gone (by DeleteObjects: %s)', async (together) => {
      await deleted(together)
      expect(await codeOf(get('a/b'))).toBe('NoSuchKey')
      expect(await codeOf(s3.headObject({ Bucket, Key: 'a/b' }).promise())).toBe('NotFound')
      expect(keysOf(await list())).toEqual([])
      expect(keysOf(await list({ Prefix: 'a/' }))).toEqual([])
    })

    it('can be created again with If-None-Match: *, once', async () => {
      await deleted()
      const created = await codeOf(put('a/b', 'new', { 'If-None-Match': '*' }))
      expect(created).toBe(countsDeleted ? 'PreconditionFailed' : 'no error')
      if (countsDeleted) return
      expect(await codeOf(put('a/b', 'newer', { 'If-None-Match': '*' }))).toBe('PreconditionFailed')
      expect((await get('a/b')).Body?.toString()).toBe('new')
      expect(keysOf(await list())).toEqual(['a/b'])
    })

    it('cannot be replaced with If-Match', async () => {
      const ETag = await deleted()
      expect(await codeOf(put('a/b', 'new', { 'If-Match': ETag }))).toBe(
        countsDeleted ? 'PreconditionFailed' : 'NoSuchKey',
      )
    })

    it('can be deleted again', async () => {
      await deleted()
      expect(await codeOf(s3.deleteObject({ Bucket, Key: 'a/b' }).promise())).toBe('no error')
      const Objects = [{ Key: 'a/b' }]
      const { Errors = [] } = await s3.deleteObjects({ Bucket, Delete: { Objects } }).promise()
      expect(Errors).toEqual([])
    })
  })

  describe('ranges and conditions of a read', () => {
    const digits = '0123456789'

    it.each([
      ['bytes=2-4', '234', 'bytes 2-4/10'],
      ['bytes=7-', '789', 'bytes 7-9/10'],
      ['bytes=-3', '789', 'bytes 7-9/10'],
      ['bytes=8-100', '89', 'bytes 8-9/10'],
      ['bytes=0-0', '0', 'bytes 0-0/10'],
    ])('answers %s with %s', async (Range, text, ContentRange) => {
      await put('digits', digits)
      const part = await get('digits', { Range })
      expect(part).toMatchObject({ ContentRange, ContentLength: text.length, Body: Buffer.from(text) })
    })

    it('refuses a range beyond the end', async () => {
      await put('digits', digits)
      expect(await codeOf(get('digits', { Range: 'bytes=10-' }))).toBe('InvalidRange')
    })

    it('compares etags', async () => {
      const { ETag = '' } = await put('a')
      expect(await codeOf(get('a', { IfMatch: ETag }))).toBe('no error')
      expect(await codeOf(get('a', { IfMatch: '"other"' }))).toBe('PreconditionFailed')
      expect(await codeOf(get('a', { IfNoneMatch: '"other"' }))).toBe('no error')
      expect(await codeOf(get('a', { IfNoneMatch: ETag }))).toBe('NotModified')
      expect(await codeOf(s3.headObject({ Bucket, Key: 'a', IfNoneMatch: ETag }).promise())).toBe(
        'NotModified',
      )
    })

    it('compares dates', async () => {
      await put('a')
      const { LastModified = new Date(0) } = await get('a')
      const earlier = new Date(LastModified.getTime() - 60_000)
      expect(await codeOf(get('a', { IfModifiedSince: earlier }))).toBe('no error')
      const later = new Date(LastModified.getTime() + 60_000)
      expect(await codeOf(get('a', { IfUnmodifiedSince: later }))).toBe('no error')
      expect(await codeOf(get('a', { IfUnmodifiedSince: earlier }))).toBe('PreconditionFailed')
    })
  })

  describe('conditional writes', () => {
    it('creates only a missing object (If-None-Match: *)', async () => {
      await put('a', 'first', { 'If-None-Match': '*' })
      expect(await codeOf(put('a', 'second', { 'If-None-Match': '*' }))).toBe('PreconditionFailed')
      expect((await get('a')).Body?.toString()).toBe('first')
    })

    it('replaces only the expected version (If-Match)', async () => {
      const { ETag = '' } = await put('a', 'first')
      await put('a', 'second', { 'If-Match': ETag })
      expect(await codeOf(put('a', 'third', { 'If-Match': ETag }))).toBe('PreconditionFailed')
      expect((await get('a')).Body?.toString()).toBe('second')
      expect(await codeOf(put('missing', 'x', { 'If-Match': ETag }))).toBe('NoSuchKey')
    })

    it('lets exactly one of many concurrent creators win', async () => {
      const tries = Array.from({ length: 20 }, (_, n) =>
        codeOf(put('race', `${n}`, { 'If-None-Match': '*' })),
      )
      const codes = await Promise.all(tries)
      expect(codes.filter((code) => code === 'no error')).toHaveLength(1)
    })
  })

  describe('copies', () => {
    const copy = (Key: string, source: string, more: Partial<S3.CopyObjectRequest> = {}) =>
      s3.copyObject({ Bucket, Key, CopySource: encodeURI(`${Bucket}/${source}`), ...more }).promise()

    it('copies the metadata', async () => {
      const source = 'ünï/a b.jpg'
      await s3
        .putObject({ Bucket, Key: source, Body: 'hello', ContentType: 'image/jpeg', Metadata: { a: '1' } })
        .promise()
      const { CopyObjectResult } = await copy('copy', source)
      expect(CopyObjectResult?.ETag).toBe('"5d41402abc4b2a76b9719d911017c592"')
      expect(await get('copy')).toMatchObject({
        Body: Buffer.from('hello'),
        ContentType: 'image/jpeg',
        Metadata: { a: '1' },
      })
    })

    it('replaces the metadata on request, also in place', async () => {
      await s3.putObject({ Bucket, Key: 'a', Body: 'hello', Metadata: { a: '1' } }).promise()
      expect(await codeOf(copy('a', 'a'))).toBe('InvalidRequest')
      await copy('a', 'a', { MetadataDirective: 'REPLACE', Metadata: { b: '2' }, ContentType: 'text/plain' })
      expect(await get('a')).toMatchObject({ Metadata: { b: '2' }, ContentType: 'text/plain' })
    })

    it('fails without a source', async () => {
      // Some versioned buckets report a missing version.
      expect(await codeOf(copy('copy', 'missing'))).toMatch(/^NoSuch(Key|Version)$/)
    })
  })

  describe('listings', () => {
    it('orders keys by their UTF-8 bytes', async () => {
      for (const key of [...orderedKeys].reverse()) await put(key)
      expect(keysOf(await list())).toEqual(orderedKeys)
      const { Contents = [] } = await s3.listObjects({ Bucket }).promise()
      expect(Contents.map(({ Key }) => Key)).toEqual(orderedKeys)
    })

    it('agrees with HEAD about each object', async () => {
      await put('a', 'hello')
      const { LastModified, ETag } = await s3.headObject({ Bucket, Key: 'a' }).promise()
      const [object] = (await list({ FetchOwner: true })).Contents ?? []
      expect(object).toMatchObject({ Key: 'a', Size: 5, ETag, StorageClass: 'STANDARD' })
      expect(Math.floor((object?.LastModified?.getTime() ?? 0) / 1000)).toBe(
        (LastModified?.getTime() ?? 0) / 1000,
      )
      expect(object?.Owner?.ID).toEqual(expect.any(String))
    })

    it('filters by prefix and groups by delimiter', async () => {
      for (const key of ['a.jpg', 'b/1.jpg', 'b/2.jpg', 'b/c/3.jpg', 'd/4.jpg']) await put(key)
      const top = await list({ Delimiter: '/' })
      expect([keysOf(top), prefixesOf(top), top.KeyCount]).toEqual([['a.jpg'], ['b/', 'd/'], 3])
      const below = await list({ Prefix: 'b/', Delimiter: '/' })
      expect([keysOf(below), prefixesOf(below)]).toEqual([['b/1.jpg', 'b/2.jpg'], ['b/c/']])
      expect(keysOf(await list({ Prefix: 'b/' }))).toEqual(['b/1.jpg', 'b/2.jpg', 'b/c/3.jpg'])
      expect(keysOf(await list({ Prefix: 'nothing' }))).toEqual([])
    })

    it.each([1, 2, 3, 7])('pages by continuation token, %i at a time', async (MaxKeys) => {
      for (const key of orderedKeys) await put(key)
      const seen: (string | undefined)[] = []
      for (let ContinuationToken: string | undefined, more = true; more; ) {
        const page = await list({ MaxKeys, ContinuationToken })
        expect(page.KeyCount).toBeLessThanOrEqual(MaxKeys)
        seen.push(...keysOf(page))
        ContinuationToken = page.NextContinuationToken
        more = page.IsTruncated === true
        expect(ContinuationToken !== undefined).toBe(more)
      }
      expect(seen).toEqual(orderedKeys)
    })

    it('counts a common prefix once, also across pages', async () => {
      for (const key of ['a/1', 'a/2', 'b', 'c/1', 'c/2', 'd']) await put(key)
      const seen: (string | undefined)[] = []
      for (let Marker: string | undefined, more = true; more; ) {
        const page = await s3.listObjects({ Bucket, Delimiter: '/', MaxKeys: 1, Marker }).promise()
        seen.push(...keysOf(page), ...prefixesOf(page))
        Marker = page.NextMarker
        more = page.IsTruncated === true
      }
      expect(seen).toEqual(['a/', 'b', 'c/', 'd'])
    })

    it('starts after a key, existing or not', async () => {
      for (const key of ['a', 'b', 'c']) await put(key)
      expect(keysOf(await list({ StartAfter: 'b' }))).toEqual(['c'])
      expect(keysOf(await list({ StartAfter: 'aa' }))).toEqual(['b', 'c'])
      expect(keysOf(await s3.listObjects({ Bucket, Marker: 'a' }).promise())).toEqual(['b', 'c'])
    })

    it('returns at most 1,000 keys per page', async () => {
      const names = Array.from({ length: 1005 }, (_, n) => `k${String(n).padStart(5, '0')}`)
      await Promise.all(names.map((name) => put(name)))
      const first = await list({ MaxKeys: 5000 })
      expect([keysOf(first).length, first.IsTruncated]).toEqual([1000, true])
      const second = await list({ ContinuationToken: first.NextContinuationToken })
      expect([...keysOf(first), ...keysOf(second)]).toEqual(names)
    })
  })

  describe('multipart uploads', () => {
    const begin = async (Key: string): Promise<string> =>
      (
        await s3
          .createMultipartUpload({ Bucket, Key, ContentType: 'image/tiff', Metadata: { a: '1' } })
          .promise()
      ).UploadId ?? ''
    const uploadPart = async (Key: string, UploadId: string, PartNumber: number, Body: Buffer) => {
      const { ETag } = await s3.uploadPart({ Bucket, Key, UploadId, PartNumber, Body }).promise()
      return { PartNumber, ETag }
    }
    const complete = (Key: string, UploadId: string, Parts: S3.CompletedPart[], ifNoneMatch?: string) => {
      const request = s3.completeMultipartUpload({ Bucket, Key, UploadId, MultipartUpload: { Parts } })
      const headers = ifNoneMatch ? { 'If-None-Match': ifNoneMatch } : {}
      request.on('build', () => void Object.assign(request.httpRequest.headers, headers))
      return request.promise()
    }

    it('joins parts, in whatever order they came', async () => {
      const [one, two] = [randomBytes(5 * mebibyte), randomBytes(1000)]
      const id = await begin('large ü')
      const second = await uploadPart('large ü', id, 2, two)
      const first = await uploadPart('large ü', id, 1, one)
      expect(await codeOf(get('large ü'))).toBe('NoSuchKey')
      const { Parts = [] } = await s3.listParts({ Bucket, Key: 'large ü', UploadId: id }).promise()
      expect(Parts).toMatchObject([
        { PartNumber: 1, Size: one.length, ETag: first.ETag },
        { PartNumber: 2, Size: two.length, ETag: second.ETag },
      ])
      const { Uploads = [] } = await s3.listMultipartUploads({ Bucket }).promise()
      expect(Uploads).toMatchObject([{ Key: 'large ü', UploadId: id }])
      const { ETag } = await complete('large ü', id, [first, second])
      expect(ETag).toMatch(/^"[\da-f]{32}-2"$/)
      const object = await get('large ü')
      expect(object).toMatchObject({ ETag, ContentType: 'image/tiff', Metadata: { a: '1' } })
      expect(Buffer.concat([one, two]).equals(object.Body as Buffer)).toBe(true)
      expect((await s3.listMultipartUploads({ Bucket }).promise()).Uploads ?? []).toEqual([])
    })

    it('accepts a part sent twice', async () => {
      const id = await begin('a')
      await uploadPart('a', id, 1, Buffer.from('first'))
      const part = await uploadPart('a', id, 1, Buffer.from('second'))
      await complete('a', id, [part])
      expect((await get('a')).Body?.toString()).toBe('second')
    })

    it('lists the uploads of a key', async () => {
      const ids = [await begin('a/b'), await begin('a/b'), await begin('c')]
      const { Uploads = [] } = await s3.listMultipartUploads({ Bucket, Prefix: 'a/b' }).promise()
      expect(Uploads.map(({ UploadId }) => UploadId).sort()).toEqual(ids.slice(0, 2).sort())
      for (const [index, UploadId = ''] of ids.entries())
        await s3.abortMultipartUpload({ Bucket, Key: index < 2 ? 'a/b' : 'c', UploadId }).promise()
    })

    it('refuses parts that are too small, out of order or missing', async () => {
      const id = await begin('a')
      const first = await uploadPart('a', id, 1, Buffer.alloc(5 * mebibyte))
      const second = await uploadPart('a', id, 2, Buffer.alloc(5 * mebibyte))
      const third = await uploadPart('a', id, 3, Buffer.from('small'))
      const fourth = await uploadPart('a', id, 4, Buffer.from('last'))
      expect(await codeOf(complete('a', id, [first, third, fourth]))).toBe('EntityTooSmall')
      expect(await codeOf(complete('a', id, [second, first]))).toBe('InvalidPartOrder')
      expect(await codeOf(complete('a', id, [{ ...first, ETag: third.ETag }]))).toBe('InvalidPart')
      expect(await codeOf(complete('a', id, [{ ...first, PartNumber: 5 }]))).toBe('InvalidPart')
      await complete('a', id, [fourth])
      expect((await get('a')).Body?.toString()).toBe('last')
    })

    it('can be aborted', async () => {
      const id = await begin('a')
      const part = await uploadPart('a', id, 1, Buffer.from('x'))
      await s3.abortMultipartUpload({ Bucket, Key: 'a', UploadId: id }).promise()
      expect(await codeOf(complete('a', id, [part]))).toBe('NoSuchUpload')
      expect(await codeOf(uploadPart('a', id, 2, Buffer.from('x')))).toBe('NoSuchUpload')
      expect(await codeOf(get('a'))).toBe('NoSuchKey')
    })

    it('honours preconditions of a write when completing', async () => {
      const id = await begin('a')
      const part = await uploadPart('a', id, 1, Buffer.from('x'))
      await put('a', 'first')
      expect(await codeOf(complete('a', id, [part], '*'))).toBe('PreconditionFailed')
      expect((await get('a')).Body?.toString()).toBe('first')
      await s3.abortMultipartUpload({ Bucket, Key: 'a', UploadId: id }).promise()
    })
  })

  describe('signatures', () => {
    it('lets a presigned URL read, with chosen headers', async () => {
      await put('ünï/a b+c.jpg', 'hello')
      const url = s3.getSignedUrl('getObject', {
        Bucket,
        Key: 'ünï/a b+c.jpg',
        Expires: 60,
        ResponseContentType: 'image/jpeg',
        ResponseContentDisposition: 'inline',
      })
      const answer = await fetch(url)
      expect([answer.status, await answer.text()]).toEqual([200, 'hello'])
      expect(answer.headers.get('content-type')).toBe('image/jpeg')
      expect(answer.headers.get('content-disposition')).toBe('inline')
    })

    it('lets a presigned URL write', async () => {
      const url = s3.getSignedUrl('putObject', { Bucket, Key: 'a', Expires: 60 })
      expect((await fetch(url, { method: 'PUT', body: 'hello' })).status).toBe(200)
      expect((await get('a')).Body?.toString()).toBe('hello')
    })

    it('refuses a presigned URL for another key', async () => {
      await put('b')
      const url = s3.getSignedUrl('getObject', { Bucket, Key: 'a', Expires: 60 })
      const answer = await fetch(url.replace(`${Bucket}/a`, `${Bucket}/b`))
      expect([answer.status, /<Code>(\w+)</.exec(await answer.text())?.[1]]).toEqual([
        403,
        'SignatureDoesNotMatch',
      ])
    })

    it.each([
      ['getObject', 'GET'],
      ['putObject', 'PUT'],
    ])(
      'refuses a presigned URL (%s) whose time is over, or that is used for something else',
      async (operation, method) => {
        await put('a', 'secret')
        const use = async (url: string, method: string) => {
          const answer = await fetch(url, { method, body: method === 'PUT' ? 'mine' : undefined })
          return [answer.status, (await answer.text()).includes('secret')]
        }
        const params = { Bucket, Key: 'a', Expires: 60 }
        const anHourAgo = new S3({ ...s3.config, systemClockOffset: -3_600_000 })
        expect(await use(anHourAgo.getSignedUrl(operation, params), method)).toEqual([403, false])
        const other = { GET: 'PUT', PUT: 'GET' }[method] ?? ''
        expect(await use(s3.getSignedUrl(operation, params), other)).toEqual([403, false])
        expect((await get('a')).Body?.toString()).toBe('secret')
      },
    )

    it('refuses anonymous readers', async () => {
      await put('a')
      const answer = await fetch(`${s3.endpoint.href}${Bucket}/a`)
      expect([answer.status, /<Code>(\w+)</.exec(await answer.text())?.[1]]).toEqual([403, 'AccessDenied'])
    })

    it('refuses anonymous writers, listings and removals', async () => {
      await put('a')
      const bucket = `${s3.endpoint.href}${Bucket}`
      const attempts: [string, string][] = [
        ['PUT', '/a'],
        ['DELETE', '/a'],
        ['GET', '?list-type=2'],
        ['POST', '/a?uploads'],
      ]
      for (const [method, path] of attempts)
        expect([method, (await fetch(`${bucket}${path}`, { method })).status]).toEqual([method, 403])
      expect((await get('a')).Body?.toString()).toBe('x')
    })

    it('refuses a wrong key and a wrong secret', async () => {
      const wrongSecret = new S3({ ...s3.config, secretAccessKey: 'wrong', credentials: undefined })
      expect(await codeOf(wrongSecret.listBuckets().promise())).toBe('SignatureDoesNotMatch')
      const wrongKey = new S3({ ...s3.config, accessKeyId: 'WRONG', credentials: undefined })
      // The code differs between servers.
      expect(await codeOf(wrongKey.listBuckets().promise())).not.toBe('no error')
    })
  })
}
