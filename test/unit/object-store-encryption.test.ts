import { createHash, randomBytes } from 'node:crypto'
import { Readable } from 'node:stream'
import type S3 from 'ibm-cos-sdk/clients/s3'
import { settingsFromParams } from '../../src/config'
import { partBytes } from '../../src/storage/multipart'
import { openStore, type Bucket as StoredBucket } from '../../src/storage/store'
import { clientOf } from '../helpers/policy-cases'
import { credentials, put, temporaryStore } from './object-store-client'

const Bucket = 'photos'
const aes = { ServerSideEncryption: 'AES256' }
const kms = { ServerSideEncryption: 'aws:kms', SSEKMSKeyId: 'key-1' }
const md5 = (body: string): string => `"${createHash('md5').update(body).digest('hex')}"`

const bytes = (body: Buffer): Readable => Readable.from([body], { objectMode: false })

async function startStore(options: Parameters<typeof temporaryStore>[0] = {}) {
  const store = await temporaryStore(options)
  const s3 = clientOf(store.endpoint, credentials)
  await s3.createBucket({ Bucket }).promise()
  return { ...store, endpoint: store.endpoint, s3 }
}

describe('encryption at rest in the embedded store', () => {
  let store: Awaited<ReturnType<typeof startStore>>
  let s3: S3

  beforeAll(async () => {
    store = await startStore()
    s3 = store.s3
  })
  afterAll(() => store.remove())

  it.each([aes, kms])('is reported for all reads and writes: %j', async (encryption) => {
    expect(await s3.putObject({ Bucket, Key: 'a', Body: 'x', ...encryption }).promise()).toMatchObject(
      encryption,
    )
    expect(await s3.headObject({ Bucket, Key: 'a' }).promise()).toMatchObject(encryption)
    expect(await s3.getObject({ Bucket, Key: 'a' }).promise()).toMatchObject(encryption)
    const copy = { Bucket, Key: 'copy', CopySource: `${Bucket}/a` }
    expect(await s3.copyObject({ ...copy, ...encryption }).promise()).toMatchObject(encryption)
    expect(await s3.headObject({ Bucket, Key: 'copy' }).promise()).toMatchObject(encryption)
  })

  it.each([aes, kms])('of an upload applies to all of its parts: %j', async (encryption) => {
    const begun = await s3.createMultipartUpload({ Bucket, Key: 'b', ...encryption }).promise()
    expect(begun).toMatchObject(encryption)
    const upload = { Bucket, Key: 'b', UploadId: begun.UploadId ?? '' }
    const part = await s3.uploadPart({ ...upload, PartNumber: 1, Body: 'x' }).promise()
    expect(part).toMatchObject(encryption)
    const MultipartUpload = { Parts: [{ PartNumber: 1, ETag: part.ETag }] }
    expect(await s3.completeMultipartUpload({ ...upload, MultipartUpload }).promise()).toMatchObject(
      encryption,
    )
    expect(await s3.headObject({ Bucket, Key: 'b' }).promise()).toMatchObject(encryption)
  })

  it('is not inherited by a copy', async () => {
    await s3.putObject({ Bucket, Key: 'a', Body: 'x', ContentType: 'image/png', ...kms }).promise()
    await s3.copyObject({ Bucket, Key: 'copy', CopySource: `${Bucket}/a` }).promise()
    const copied = await s3.headObject({ Bucket, Key: 'copy' }).promise()
    expect(copied.ContentType).toBe('image/png')
    expect(copied.ServerSideEncryption).toBeUndefined()
  })

  it('by KMS has an etag that is not the MD5, which clients must not rely on', async () => {
    const write = async (encryption: object) =>
      (await s3.putObject({ Bucket, Key: 'a', Body: 'x', ...encryption }).promise()).ETag
    expect([await write({}), await write(aes)]).toEqual([md5('x'), md5('x')])
    const etags = [await write(kms), await write(kms)]
    expect(new Set([...etags, md5('x')]).size).toBe(3)
    expect((await s3.headObject({ Bucket, Key: 'a' }).promise()).ETag).toBe(etags[1])
  })

  it.each([
    [{ 'x-amz-server-side-encryption': 'aes256' }, 'InvalidArgument'],
    [
      { 'x-amz-server-side-encryption': 'AES256', 'x-amz-server-side-encryption-aws-kms-key-id': 'k' },
      'InvalidArgument',
    ],
    [{ 'x-amz-server-side-encryption-aws-kms-key-id': 'k' }, 'InvalidArgument'],
    [{ 'x-amz-server-side-encryption-customer-algorithm': 'AES256' }, 'NotImplemented'],
  ])('cannot be requested with %j', async (headers, code) => {
    expect(await put(store.endpoint, `/${Bucket}/refused`, 'x', headers)).toMatchObject({ code })
  })
})

describe('a store that requires encryption', () => {
  let store: Awaited<ReturnType<typeof startStore>>

  beforeAll(async () => {
    store = await startStore({ encryption: 'aws:kms' })
  })
  afterAll(() => store.remove())

  const open = (settings: object): StoredBucket =>
    openStore(
      settingsFromParams({
        s3Endpoint: store.endpoint,
        s3AccessKeyId: credentials.accessKeyId,
        s3SecretAccessKey: credentials.secretAccessKey,
        ...settings,
      }),
    ).bucket(Bucket)

  /** Every kind of write in this project. */
  const writes: Record<string, (bucket: StoredBucket) => Promise<unknown>> = {
    put: (bucket) => bucket.put('put', 'x', { contentType: 'text/plain', metadata: { a: '1' } }),
    'put of what is not there': (bucket) =>
      bucket.put(`new-${randomBytes(4).toString('hex')}`, 'x', { replaces: null }),
    'a short stream': (bucket) => bucket.putStream('short', bytes(Buffer.from('x')), 'text/plain'),
    'a long stream': (bucket) => bucket.putStream('long', bytes(Buffer.alloc(partBytes + 1)), 'text/plain'),
    'an upload in parts': async (bucket) => {
      const id = await bucket.beginUpload('parts', 'text/plain')
      await bucket.completeUpload('parts', id, [await bucket.uploadPart('parts', id, 1, Buffer.from('x'))])
    },
  }

  describe.each(Object.entries(writes))('accepts %s', (_, write) => {
    it('that requests it', async () => {
      await write(open({ s3Encryption: 'aws:kms', s3KmsKeyId: 'key-1' }))
      await write(open({ s3Encryption: 'aws:kms' }))
    })

    it.each([{}, { s3Encryption: 'AES256' }])('and refuses it with %j', async (settings) => {
      await expect(write(open(settings))).rejects.toMatchObject({ code: 'access_denied', status: 403 })
    })
  })

  it('refuses a copy without it', async () => {
    const { s3 } = store
    await s3.putObject({ Bucket, Key: 'a', Body: 'x', ...kms }).promise()
    const copy = { Bucket, Key: 'copy', CopySource: `${Bucket}/a` }
    await expect(s3.copyObject(copy).promise()).rejects.toMatchObject({ code: 'AccessDenied' })
    await s3.copyObject({ ...copy, ...kms }).promise()
  })

  it('returns the etag of a stream', async () => {
    const bucket = open({ s3Encryption: 'aws:kms' })
    for (const key of ['short', 'long']) {
      const body = key === 'short' ? Buffer.from('x') : Buffer.alloc(partBytes + 1)
      const etag = await bucket.putStream(key, bytes(body), 'text/plain')
      expect(await bucket.head(key)).toMatchObject({ etag, size: body.length })
    }
  })
})
