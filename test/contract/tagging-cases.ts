import { randomBytes } from 'node:crypto'
import type { S3 } from 'ibm-cos-sdk'
import { codeOf } from '../helpers/async'
import { clientOf } from '../helpers/policy-cases'
import type { Connection } from './object-store-cases'

/**
 * Requirements on a store's object tags, as results are written there.
 * @param isAscii the store only accepts ASCII, unlike S3
 */
export function taggingContract(connect: () => Promise<Connection>, { isAscii = false } = {}): void {
  let s3: S3
  const Bucket = `tags-${randomBytes(6).toString('hex')}`

  const put = (Key: string, more: Partial<S3.PutObjectRequest> = {}) =>
    s3.putObject({ Bucket, Key, Body: 'x', ...more }).promise()
  const setTags = (Key: string, tags: Record<string, string>) =>
    s3.putObjectTagging({ Bucket, Key, Tagging: { TagSet: setOf(tags) } }).promise()
  const setOf = (tags: Record<string, string>) => Object.entries(tags).map(([Key, Value]) => ({ Key, Value }))
  const tagsOf = async (Key: string) => {
    const { TagSet } = await s3.getObjectTagging({ Bucket, Key }).promise()
    return Object.fromEntries(TagSet.map((tag) => [tag.Key, tag.Value]))
  }
  const upTo = (count: number) =>
    Object.fromEntries(Array.from({ length: count }, (_, n) => [`k${n}`, `v${n}`]))

  beforeAll(async () => {
    const { endpoint, region, accessKeyId, secretAccessKey } = await connect()
    s3 = clientOf(endpoint, { region, accessKeyId, secretAccessKey })
    await s3.createBucket({ Bucket }).promise()
  })

  afterAll(async () => {
    const { Contents = [] } = await s3.listObjectsV2({ Bucket }).promise()
    for (const { Key = '' } of Contents) await s3.deleteObject({ Bucket, Key }).promise()
    await s3.deleteBucket({ Bucket }).promise()
  })

  it('are visible once they are put, all at once', async () => {
    await put('a')
    await setTags('a', { first: '1', 'with space': 'St. Bernard a+b=c_d:e/f@g' })
    expect(await tagsOf('a')).toEqual({ first: '1', 'with space': 'St. Bernard a+b=c_d:e/f@g' })
    await setTags('a', { second: '' })
    expect(await tagsOf('a')).toEqual({ second: '' })
  })

  it('may contain letters of any script', async () => {
    await put('letters')
    expect(await codeOf(setTags('letters', { a: 'Ünï 猫' }))).toBe(isAscii ? 'InvalidTag' : 'no error')
    if (!isAscii) expect(await tagsOf('letters')).toEqual({ a: 'Ünï 猫' })
  })

  it('do not change the object: bytes, etag, type, metadata and time', async () => {
    await put('same', { ContentType: 'image/jpeg', Metadata: { camera: 'one' } })
    const before = await s3.headObject({ Bucket, Key: 'same' }).promise()
    await setTags('same', { a: '1' })
    const { ETag, ContentType, Metadata, LastModified } = await s3
      .headObject({ Bucket, Key: 'same' })
      .promise()
    expect({ ETag, ContentType, Metadata, LastModified }).toEqual({
      ETag: before.ETag,
      ContentType: before.ContentType,
      Metadata: before.Metadata,
      LastModified: before.LastModified,
    })
  })

  it('are limited to ten', async () => {
    await put('many')
    await setTags('many', upTo(10))
    expect(await codeOf(setTags('many', upTo(11)))).not.toBe('no error')
    expect(await tagsOf('many')).toEqual(upTo(10))
  })

  it('have keys of up to 128 characters, values of up to 256, and only characters that S3 allows', async () => {
    await put('long')
    await setTags('long', { ['k'.repeat(128)]: 'v'.repeat(256) })
    for (const tags of [
      { ['k'.repeat(129)]: 'v' },
      { k: 'v'.repeat(257) },
      { k: "jack-o'-lantern" },
      { k: 'a,b' },
    ])
      expect(await codeOf(setTags('long', tags))).toBe('InvalidTag')
    expect(await tagsOf('long')).toEqual({ ['k'.repeat(128)]: 'v'.repeat(256) })
  })

  it('are dropped when the object is replaced', async () => {
    await put('replaced')
    await setTags('replaced', { a: '1' })
    await put('replaced', { Body: 'y' })
    expect(await codeOf(tagsOf('replaced').then((tags) => expect(tags).toEqual({})))).toMatch(
      /no error|NoSuchTagSet/,
    )
  })

  it('require an existing object', async () => {
    expect(await codeOf(s3.getObjectTagging({ Bucket, Key: 'missing' }).promise())).toBe('NoSuchKey')
    expect(await codeOf(setTags('missing', { a: '1' }))).toBe('NoSuchKey')
  })

  it('can be written with the object', async () => {
    await put('together', { Tagging: 'a=1&b=two%20words' })
    expect(await tagsOf('together')).toEqual({ a: '1', b: 'two words' })
  })

  it('can be removed', async () => {
    await put('removed', { Tagging: 'a=1' })
    await s3.deleteObjectTagging({ Bucket, Key: 'removed' }).promise()
    expect(await codeOf(tagsOf('removed').then((tags) => expect(tags).toEqual({})))).toMatch(
      /no error|NoSuchTagSet/,
    )
  })
}
