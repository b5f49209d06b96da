import type S3 from 'ibm-cos-sdk/clients/s3'
import { parsePolicy } from '../../src/local/store/policy'
import { codeOf } from '../helpers/async'
import { clientOf } from '../helpers/policy-cases'
import { credentials, temporaryStore } from './object-store-client'

const statement = (Action: string) => ({ Effect: 'Allow', Action, Resource: '*' })
const users = ['s3:PutObject', 's3:*Object'].map((action) => ({
  accessKeyId: action,
  secretAccessKey: 'secret',
  policy: parsePolicy({ Version: '2012-10-17', Statement: [statement(action)] }),
}))

const Bucket = 'bucket'
let store: Awaited<ReturnType<typeof temporaryStore>>
const s3 = (key: object = credentials): S3 => clientOf(store.endpoint, key)

const tagsOf = async (Key: string) => {
  const { TagSet } = await s3().getObjectTagging({ Bucket, Key }).promise()
  return Object.fromEntries(TagSet.map((tag) => [tag.Key, tag.Value]))
}
const setTag = (Key: string, Value: string) =>
  s3()
    .putObjectTagging({ Bucket, Key, Tagging: { TagSet: [{ Key: 'a', Value }] } })
    .promise()

beforeEach(async () => {
  store = await temporaryStore({ users })
  await s3().createBucket({ Bucket }).promise()
})
afterEach(() => store.remove())

describe('tags', () => {
  it('survive restarts, and a compacted journal', async () => {
    await s3().putObject({ Bucket, Key: 'kept', Body: 'x', Tagging: 'b=2' }).promise()
    await s3().putObject({ Bucket, Key: 'tagged', Body: 'x' }).promise()
    await s3().putObject({ Bucket, Key: 'replaced', Body: 'x', Tagging: 'b=2' }).promise()
    for (let n = 0; n < 1_100; n++) await setTag('tagged', String(n))
    await setTag('replaced', 'old')
    await s3().putObject({ Bucket, Key: 'replaced', Body: 'y' }).promise()
    for (let restarts = 0; restarts < 2; restarts++) {
      await store.stop()
      await store.start()
      expect(await tagsOf('kept')).toEqual({ b: '2' })
      expect(await tagsOf('tagged')).toEqual({ a: '1099' })
      expect(await tagsOf('replaced')).toEqual({})
    }
  })

  it('are copied, unless others are given, and kept for multipart uploads', async () => {
    await s3().putObject({ Bucket, Key: 'a', Body: 'x', Tagging: 'a=1' }).promise()
    const copy = { Bucket, CopySource: `${Bucket}/a` }
    await s3()
      .copyObject({ ...copy, Key: 'b' })
      .promise()
    await s3()
      .copyObject({ ...copy, Key: 'c', TaggingDirective: 'REPLACE', Tagging: 'c=3' })
      .promise()
    expect([await tagsOf('b'), await tagsOf('c')]).toEqual([{ a: '1' }, { c: '3' }])
    const upload = { Bucket, Key: 'd', Tagging: 'd=4' }
    const { UploadId = '' } = await s3().createMultipartUpload(upload).promise()
    const part = { Bucket, Key: 'd', UploadId, PartNumber: 1 }
    const { ETag } = await s3()
      .uploadPart({ ...part, Body: 'x' })
      .promise()
    const MultipartUpload = { Parts: [{ PartNumber: 1, ETag }] }
    await s3().completeMultipartUpload({ Bucket, Key: 'd', UploadId, MultipartUpload }).promise()
    expect(await tagsOf('d')).toEqual({ d: '4' })
    expect(await s3().headObject({ Bucket, Key: 'd' }).promise()).toMatchObject({ ETag: expect.any(String) })
  })

  it('with an object require a key that may tag', async () => {
    const [writer, all] = users as [object, object]
    const put = (key: object, more: object = {}) =>
      codeOf(
        s3(key)
          .putObject({ Bucket, Key: 'a', Body: 'x', ...more })
          .promise(),
      )
    expect(await put(writer)).toBe('no error')
    expect(await put(writer, { Tagging: 'a=1' })).toBe('AccessDenied')
    expect(await put(all, { Tagging: 'a=1' })).toBe('AccessDenied')
  })

  it.each([
    '<Tagging><TagSet><Tag><Key>a</Key></Tag></TagSet></Tagging>',
    '<Tagging></Tagging>',
    '<Tagging><TagSet>text</TagSet></Tagging>',
    'no XML <',
    '',
  ])('are not parsed from %j', async (body) => {
    await s3().putObject({ Bucket, Key: 'a', Body: 'x' }).promise()
    const request = s3().putObjectTagging({ Bucket, Key: 'a', Tagging: { TagSet: [] } })
    request.on('build', () => {
      request.httpRequest.body = body
      delete request.httpRequest.headers['Content-MD5']
    })
    expect(await codeOf(request.promise())).toBe('MalformedXML')
  })

  it.each([
    ['aws:mine', 'InvalidTag'],
    ['', 'InvalidTag'],
  ])('have no key %j', async (Key, code) => {
    await s3().putObject({ Bucket, Key: 'a', Body: 'x' }).promise()
    const TagSet = [{ Key, Value: '1' }]
    expect(await codeOf(s3().putObjectTagging({ Bucket, Key: 'a', Tagging: { TagSet } }).promise())).toBe(
      code,
    )
  })
})
