import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { json } from 'node:stream/consumers'
import type S3 from 'ibm-cos-sdk/clients/s3'
import { settingsFromParams } from '../../src/config'
import { readPolicy } from '../../src/local/policies'
import { type ImageEvent, parseEvent } from '../../src/storage/events'
import { openStore } from '../../src/storage/store'
import { guardedBatchContract, guardedBuckets } from '../contract/guarded-batch'
import { hourlyContract } from '../contract/hourly-cases'
import { objectStoreContract } from '../contract/object-store-cases'
import { documentOf, policies, policyContract } from '../contract/policy-contract'
import { taggingContract } from '../contract/tagging-cases'
import { eventually } from '../helpers/local-mode'
import { startMinio, withMinio } from '../helpers/minio'
import { clientOf } from '../helpers/policy-cases'

jest.setTimeout(600_000)

type Minio = Awaited<ReturnType<typeof startMinio>>

const ok = (...calls: string[]) => Object.fromEntries(calls.map((call) => [call, 'ok']))

/** AWS hides that an object is missing if the key may not list the bucket; MinIO does not. */
const missing = {
  'GetMissing images': 'NoSuchKey',
  'HeadMissing images': 'NotFound',
  'GetMissing private': 'NoSuchKey',
  'HeadMissing private': 'NotFound',
}
/** MinIO returns the buckets that the key may list, and denies access only if there are none. */
const listed = ok('ListBuckets')
const ofImages = ['ListObjects', 'ListObjectsV2', 'GetBucketLocation', 'ListMultipartUploads']
const onImages = ofImages.map((call) => `${call} images`)

/** Where MinIO differs from AWS, whose decisions the embedded store follows. */
const differences = {
  actions: listed,
  reader: listed,
  // MinIO matches a bucket as `images/`: `images/*` includes the bucket, and `im?ges` does not match.
  wildcards: {
    ...Object.fromEntries(onImages.map((call) => [call, 'AccessDenied'])),
    'HeadBucket images': 'Forbidden',
  },
  'no listing': missing,
  'objects only': {
    ...missing,
    ...listed,
    ...ok('HeadBucket images', ...onImages),
    'CreateBucket images': 'BucketAlreadyOwnedByYou',
    'DeleteBucket images': 'BucketNotEmpty',
  },
}

withMinio('MinIO', () => {
  let minio: Minio

  const events: ImageEvent[] = []
  const names: string[] = []
  let webhook: Server

  beforeAll(async () => {
    webhook = createServer(async (request, response) => {
      const message = (await json(request)) as { EventName: string }
      names.push(message.EventName)
      events.push(...parseEvent(message).events)
      response.end()
    }).listen(0, '127.0.0.1')
    await once(webhook, 'listening')
    minio = await startMinio(`http://127.0.0.1:${(webhook.address() as AddressInfo).port}`)
  })
  afterAll(async () => {
    await minio.close()
    webhook.close()
  })

  describe('URLs', () => {
    hourlyContract(async () => {
      const { endpoint, accessKeyId, secretAccessKey } = minio
      const settings = {
        s3Endpoint: endpoint,
        s3AccessKeyId: accessKeyId,
        s3SecretAccessKey: secretAccessKey,
      }
      const bucket = openStore(settingsFromParams(settings)).bucket('hourly')
      await bucket.createIfMissing()
      return bucket
    })
  })

  it('notifies about objects in a bucket with versions as in any other', async () => {
    const s3 = clientOf(minio.endpoint, minio)
    const [Bucket, Key] = ['watched', 'ü/a b+c&d%41#.jpg']
    await s3.createBucket({ Bucket }).promise()
    await s3.putBucketVersioning({ Bucket, VersioningConfiguration: { Status: 'Enabled' } }).promise()
    await minio.watch(Bucket)
    const seen = (count: number) => eventually(async () => events.length === count, 'an event')
    const etags: (string | undefined)[] = []
    for (const Body of ['first', 'second']) {
      const { ETag } = await s3.putObject({ Bucket, Key, Body }).promise()
      await seen(etags.push(ETag?.replaceAll('"', '')))
    }
    await s3.deleteObject({ Bucket, Key }).promise()
    await seen(3)
    const image = { bucket: Bucket, key: Key }
    expect(events).toMatchObject([
      { ...image, etag: etags[0], size: 5, removed: false },
      { ...image, etag: etags[1], size: 6, removed: false },
      { ...image, removed: true },
    ])
  })

  it('notifies about tags as ObjectCreated, which does not count as a new image', async () => {
    const s3 = clientOf(minio.endpoint, minio)
    const [Bucket, Key] = ['tagged', 'a.jpg']
    await s3.createBucket({ Bucket }).promise()
    await minio.watch(Bucket)
    await s3.putObject({ Bucket, Key, Body: 'x' }).promise()
    const ofBucket = () => events.filter(({ bucket }) => bucket === Bucket)
    await eventually(async () => ofBucket().length === 1, 'the event of the image')
    const before = names.length
    await s3.putObjectTagging({ Bucket, Key, Tagging: { TagSet: [{ Key: 'a', Value: '1' }] } }).promise()
    await eventually(async () => names.length > before, 'the event of the tag')
    expect(names.slice(before)).toEqual(['s3:ObjectCreated:PutTagging'])
    expect(ofBucket()).toHaveLength(1)
  })

  describe('tags', () => taggingContract(async () => minio, { isAscii: true }))
  describe('as an object store', () => objectStoreContract(async () => minio))
  describe('with versions', () => objectStoreContract(async () => ({ ...minio, hasVersions: true })))

  describe('a batch under the policy of the actions, with a session token, versions and KMS', () => {
    guardedBatchContract(async () => {
      const owner = clientOf(minio.endpoint, minio)
      for (const Bucket of Object.values(guardedBuckets)) {
        await owner.createBucket({ Bucket }).promise()
        const VersioningConfiguration = { Status: 'Enabled' }
        await owner.putBucketVersioning({ Bucket, VersioningConfiguration }).promise()
      }
      const key = await minio.assumeRole(await readPolicy('actions', guardedBuckets))
      const settings = settingsFromParams({
        s3Endpoint: minio.endpoint,
        s3AccessKeyId: key.accessKeyId,
        s3SecretAccessKey: key.secretAccessKey,
        s3SessionToken: key.sessionToken,
        s3Encryption: 'aws:kms',
        s3KmsKeyId: minio.kmsKeyId,
        ...guardedBuckets,
      })
      return { settings, owner, close: async () => {} }
    })
  })

  describe('under policies', () => {
    policyContract(async () => {
      const keys: Record<string, S3.ClientConfiguration> = {}
      for (const policy of policies) keys[policy] = await minio.assumeRole(await documentOf(policy))
      return {
        owner: clientOf(minio.endpoint, minio),
        as: (policy) => clientOf(minio.endpoint, keys[policy] ?? {}),
        close: async () => {},
      }
    }, differences)
  })
})
