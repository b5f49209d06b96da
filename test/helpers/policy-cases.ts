import S3 from 'ibm-cos-sdk/clients/s3'

/** A store under test: its owner, and a key for each policy in the table. */
export interface Guarded {
  owner: S3
  as(policy: string): S3
}

/** Bucket and key prefix of a call. */
const places: Record<string, { Bucket: string; prefix: string }> = {
  images: { Bucket: 'images', prefix: 'ü 1+/' },
  private: { Bucket: 'images', prefix: 'private/' },
  results: { Bucket: 'results', prefix: 'batches/*/' },
  others: { Bucket: 'others', prefix: '' },
}
export const buckets = ['images', 'results', 'others']

interface Target {
  Bucket: string
  /** New for each call. */
  Key: string
  /** An upload of that key, begun by the owner, with one part. */
  UploadId: string
  part: S3.CompletedPart
}

interface Call {
  /** What has to exist beforehand. */
  needs?: 'object' | 'upload'
  run(s3: S3, target: Target): Promise<unknown>
  /** Outcome if allowed. */
  allowed?: string
}

async function fetched(url: string, method = 'GET'): Promise<void> {
  const answer = await fetch(url, { method, body: method === 'PUT' ? 'x' : undefined })
  const code = /<Code>(\w+)</.exec(await answer.text())?.[1]
  if (!answer.ok) throw Object.assign(new Error('refused'), { code })
}

async function deletedTogether(s3: S3, { Bucket, Key }: Target): Promise<void> {
  const { Errors = [] } = await s3.deleteObjects({ Bucket, Delete: { Objects: [{ Key }] } }).promise()
  const [refused] = Errors
  if (refused) throw Object.assign(new Error('refused'), { code: refused.Code })
}

const at = ({ Bucket, Key }: Target) => ({ Bucket, Key })
const upload = (target: Target) => ({ ...at(target), UploadId: target.UploadId })

const onObjects: Record<string, Call> = {
  GetObject: { needs: 'object', run: (s3, target) => s3.getObject(at(target)).promise() },
  HeadObject: { needs: 'object', run: (s3, target) => s3.headObject(at(target)).promise() },
  GetMissing: { run: (s3, target) => s3.getObject(at(target)).promise(), allowed: 'NoSuchKey' },
  HeadMissing: { run: (s3, target) => s3.headObject(at(target)).promise(), allowed: 'NotFound' },
  PutObject: { run: (s3, target) => s3.putObject({ ...at(target), Body: 'x' }).promise() },
  CopyFrom: {
    needs: 'object',
    run: (s3, { Bucket, Key }) =>
      s3
        .copyObject({ Bucket: 'results', Key: 'copy', CopySource: encodeURIComponent(`${Bucket}/${Key}`) })
        .promise(),
  },
  CopyTo: { run: (s3, target) => s3.copyObject({ ...at(target), CopySource: 'images/source' }).promise() },
  GetObjectTagging: { needs: 'object', run: (s3, target) => s3.getObjectTagging(at(target)).promise() },
  PutObjectTagging: {
    needs: 'object',
    run: (s3, target) =>
      s3.putObjectTagging({ ...at(target), Tagging: { TagSet: [{ Key: 'a', Value: '1' }] } }).promise(),
  },
  DeleteObjectTagging: {
    needs: 'object',
    run: (s3, target) => s3.deleteObjectTagging(at(target)).promise(),
  },
  DeleteObject: { needs: 'object', run: (s3, target) => s3.deleteObject(at(target)).promise() },
  DeleteObjects: { needs: 'object', run: deletedTogether },
  CreateMultipartUpload: { run: (s3, target) => s3.createMultipartUpload(at(target)).promise() },
  UploadPart: {
    needs: 'upload',
    run: (s3, target) => s3.uploadPart({ ...upload(target), PartNumber: 2, Body: 'x' }).promise(),
  },
  UploadPartCopy: {
    needs: 'upload',
    run: (s3, target) =>
      s3.uploadPartCopy({ ...upload(target), PartNumber: 2, CopySource: 'images/source' }).promise(),
  },
  CompleteMultipartUpload: {
    needs: 'upload',
    run: (s3, target) =>
      s3.completeMultipartUpload({ ...upload(target), MultipartUpload: { Parts: [target.part] } }).promise(),
  },
  AbortMultipartUpload: {
    needs: 'upload',
    run: (s3, target) => s3.abortMultipartUpload(upload(target)).promise(),
  },
  ListParts: { needs: 'upload', run: (s3, target) => s3.listParts(upload(target)).promise() },
  PresignedGet: { needs: 'object', run: (s3, target) => fetched(s3.getSignedUrl('getObject', at(target))) },
  PresignedPut: { run: (s3, target) => fetched(s3.getSignedUrl('putObject', at(target)), 'PUT') },
}

const onBuckets: Record<string, Call> = {
  HeadBucket: { run: (s3, { Bucket }) => s3.headBucket({ Bucket }).promise() },
  ListObjects: { run: (s3, { Bucket }) => s3.listObjects({ Bucket }).promise() },
  ListObjectsV2: { run: (s3, { Bucket }) => s3.listObjectsV2({ Bucket }).promise() },
  GetBucketLocation: { run: (s3, { Bucket }) => s3.getBucketLocation({ Bucket }).promise() },
  ListMultipartUploads: { run: (s3, { Bucket }) => s3.listMultipartUploads({ Bucket }).promise() },
  CreateBucket: {
    run: (s3, { Bucket }) => s3.createBucket({ Bucket }).promise(),
    allowed: 'BucketAlreadyOwnedByYou',
  },
  DeleteBucket: { run: (s3, { Bucket }) => s3.deleteBucket({ Bucket }).promise(), allowed: 'BucketNotEmpty' },
}

const ofAll: Record<string, Call> = { ListBuckets: { run: (s3) => s3.listBuckets().promise() } }

/** Yields the cases, named `GetObject images` and so on. */
function* cases(): Generator<{ name: string; call: Call; place: string }> {
  for (const place of Object.keys(places))
    for (const [name, call] of Object.entries(onObjects)) yield { name: `${name} ${place}`, call, place }
  for (const place of buckets)
    for (const [name, call] of Object.entries(onBuckets)) yield { name: `${name} ${place}`, call, place }
  for (const [name, call] of Object.entries(ofAll)) yield { name, call, place: 'images' }
}

const everyObject = Object.keys(onObjects)
const everyBucket = Object.keys(onBuckets)
const reads = ['GetObject', 'HeadObject', 'GetMissing', 'HeadMissing', 'PresignedGet']
const lists = ['HeadBucket', 'ListObjects', 'ListObjectsV2']
const writes = ['PutObject', 'PresignedPut', 'CreateMultipartUpload', 'UploadPart', 'CompleteMultipartUpload']

const of = (calls: string[], ...where: string[]): string[] =>
  where.flatMap((place) => calls.map((call) => `${call} ${place}`))

/** Calls allowed by each policy; all others in the table are denied. */
export const allowed: Record<string, string[]> = {
  actions: [
    ...of(reads, 'images', 'private', 'results'),
    ...of([...writes, 'DeleteObject', 'DeleteObjects', 'AbortMultipartUpload'], 'results'),
    ...of(['CopyTo', 'UploadPartCopy'], 'results'),
    ...of(['CopyFrom'], 'images', 'private', 'results'),
    ...of(lists, 'images', 'results'),
  ],
  uploader: of([...writes, 'AbortMultipartUpload'], 'images', 'private'),
  tags: of(['GetObjectTagging', 'PutObjectTagging'], 'images', 'private'),
  reader: [...of(reads, 'results'), ...of(lists, 'results')],
  everything: [...of(everyObject, ...Object.keys(places)), ...of(everyBucket, ...buckets), 'ListBuckets'],
  'no private': [
    ...of(everyObject, 'images', 'results', 'others'),
    ...of(everyBucket, ...buckets),
    'ListBuckets',
  ],
  wildcards: [
    ...of([...reads, 'GetObjectTagging', 'ListParts'], 'private'),
    ...of([...lists, 'ListMultipartUploads', 'GetBucketLocation'], 'images'),
  ],
  'no listing': of(['GetObject', 'HeadObject', 'PresignedGet'], 'images', 'private'),
  'objects only': of(
    everyObject.filter((call) => !/Missing|CopyFrom/.test(call)),
    'images',
    'private',
  ),
}

const statement = (Effect: string, Action: string | string[], ...Resource: string[]) => ({
  Effect,
  Action,
  Resource: Resource.map((name) => `arn:aws:s3:::${name}`),
})
const document = (...Statement: object[]) => ({ Version: '2012-10-17', Statement })

/** Policies of the table that have no file. */
export const documents: Record<string, object> = {
  everything: document({ Effect: 'Allow', Action: 's3:*', Resource: '*' }),
  'no private': document(
    { Effect: 'Allow', Action: ['s3:*'], Resource: ['*'] },
    statement('Deny', 's3:*', 'images/private/*'),
  ),
  wildcards: document(statement('Allow', ['s3:Get*', 's3:List*'], 'im?ges', '*/private/*')),
  'no listing': document(statement('Allow', 's3:GetObject', 'images/*')),
  'objects only': document(statement('Allow', 's3:*', 'images/*')),
}

async function outcomeOf(promise: Promise<unknown>): Promise<string> {
  try {
    await promise
    return 'ok'
  } catch (thrown) {
    return String((thrown as { code?: string }).code)
  }
}

/** Creates the objects and uploads that the calls need. */
export async function prepare({ owner }: Guarded): Promise<void> {
  for (const Bucket of buckets) {
    await owner.createBucket({ Bucket }).promise()
    await owner.putObject({ Bucket, Key: 'source', Body: 'x' }).promise()
  }
}

async function targetOf(owner: S3, { needs }: Call, place: string, n: number): Promise<Target> {
  const { Bucket, prefix } = places[place] as (typeof places)[string]
  const target = { Bucket, Key: `${prefix}${n}`, UploadId: '', part: {} }
  if (needs === 'object') await owner.putObject({ ...at(target), Body: 'x' }).promise()
  if (needs !== 'upload') return target
  const { UploadId = '' } = await owner.createMultipartUpload(at(target)).promise()
  const { ETag } = await owner.uploadPart({ ...at(target), UploadId, PartNumber: 1, Body: 'x' }).promise()
  return { ...target, UploadId, part: { PartNumber: 1, ETag } }
}

let calls = 0

/** Makes every call of the table with the key of a policy. @returns outcomes by case name */
export async function outcomes({ owner, as }: Guarded, policy: string): Promise<Record<string, string>> {
  const s3 = as(policy)
  const found: Record<string, string> = {}
  for (const { name, call, place } of cases())
    found[name] = await outcomeOf(call.run(s3, await targetOf(owner, call, place, ++calls)))
  return found
}

/** Expected outcomes. */
export function expectedOf(policy: string): Record<string, string> {
  const list = new Set(allowed[policy])
  const expected: Record<string, string> = {}
  for (const { name, call } of cases()) {
    // An answer to HEAD has no body with a code.
    const denied = /^Head/.test(name) ? 'Forbidden' : 'AccessDenied'
    expected[name] = list.delete(name) ? (call.allowed ?? 'ok') : denied
  }
  if (list.size > 0) throw new Error(`The table has no ${[...list].join(', ')}`)
  return expected
}

/** A client with the given credentials. */
export const clientOf = (endpoint: string, credentials: Partial<S3.ClientConfiguration>): S3 =>
  new S3({ endpoint, ...credentials, s3ForcePathStyle: true, signatureVersion: 'v4', maxRetries: 0 })
