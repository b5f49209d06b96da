import * as z from 'zod'
import { isPermitted } from './access'
import { commit } from './bucket'
import { fromBinary, listKeys, toBinary } from './listing'
import { textOf } from './payload'
import { encodedPath, type S3Response } from './request'
import { s3Error } from './s3-error'
import { addBucket, bucketOf, type Call, findObject, removeBucket } from './store'
import { fromXml, toXml } from './xml'

/** There are no accounts: a single owner has everything. */
export const owner = { ID: 'whisklens', DisplayName: 'whisklens' }

export const isoDate = (milliseconds: number): string => new Date(milliseconds).toISOString()

/** Parses a page size, capped at 1,000. */
export function countOf(query: URLSearchParams, name: string): number {
  const text = query.get(name) ?? '1000'
  if (!/^\d{1,10}$/.test(text) || Number(text) > 2 ** 31 - 1) {
    throw s3Error('InvalidArgument', `Provided ${name} not an integer or within integer range`)
  }
  return Math.min(Number(text), 1000)
}

export function listBuckets({ store }: Call): S3Response {
  const buckets = [...store.buckets.values()].sort((a, b) => (a.name < b.name ? -1 : 1))
  const Bucket = buckets.map(({ name, created }) => ({ Name: name, CreationDate: isoDate(created) }))
  return { xml: toXml('ListAllMyBucketsResult', { Owner: owner, Buckets: { Bucket } }) }
}

export async function createBucket({ store, request, payload }: Call): Promise<S3Response> {
  await textOf(payload)
  addBucket(store, request.bucket)
  return { headers: { location: `/${request.bucket}` } }
}

export function headBucket({ store, request }: Call): S3Response {
  bucketOf(store, request.bucket)
  return { headers: { 'x-amz-bucket-region': store.region } }
}

export function deleteBucket({ store, request }: Call): S3Response {
  removeBucket(store, request.bucket)
  return { status: 204 }
}

export function getLocation({ store, request }: Call): S3Response {
  bucketOf(store, request.bucket)
  // us-east-1 is the empty location.
  return { xml: toXml('LocationConstraint', store.region === 'us-east-1' ? '' : store.region) }
}

/** Decodes a continuation token to a key or common prefix. */
function readToken(token: string): string {
  const last = Buffer.from(token, 'base64url')
  if (last.length === 0 || last.toString('base64url') !== token) {
    throw s3Error('InvalidArgument', 'The continuation token provided is incorrect')
  }
  return last.toString('latin1')
}

/** ListObjects and ListObjectsV2, which differ in paging. */
export function listObjects({ store, request: { bucket: name, query } }: Call): S3Response {
  const bucket = bucketOf(store, name)
  const isV2 = query.get('list-type') === '2'
  const isEncoded = query.get('encoding-type') === 'url'
  const text = (key: string): string => (isEncoded ? encodedPath(key) : key)
  const given = (parameter: string): string | undefined => {
    const value = query.get(parameter)
    return value === null ? undefined : text(value)
  }
  const token = isV2 ? query.get('continuation-token') : null
  const start = query.get(isV2 ? 'start-after' : 'marker') ?? ''
  const limit = countOf(query, 'max-keys')
  const page = listKeys(bucket.keys, {
    prefix: toBinary(query.get('prefix') ?? ''),
    delimiter: toBinary(query.get('delimiter') ?? ''),
    after: token === null ? toBinary(start) : readToken(token),
    limit,
  })
  const hasOwner = !isV2 || query.get('fetch-owner') === 'true'
  const { next } = page
  const paging = isV2
    ? {
        KeyCount: page.keys.length + page.prefixes.length,
        StartAfter: given('start-after'),
        ContinuationToken: token ?? undefined,
        NextContinuationToken:
          next === undefined ? undefined : Buffer.from(next, 'latin1').toString('base64url'),
      }
    : { Marker: text(start), NextMarker: next === undefined ? undefined : text(fromBinary(next)) }
  return {
    xml: toXml('ListBucketResult', {
      Name: name,
      Prefix: given('prefix') ?? '',
      Delimiter: given('delimiter'),
      MaxKeys: limit,
      EncodingType: isEncoded ? 'url' : undefined,
      IsTruncated: next !== undefined,
      ...paging,
      Contents: page.keys.flatMap((binary) => {
        const object = bucket.objects.get(binary)
        if (!object) return []
        return {
          Key: text(object.key),
          LastModified: isoDate(object.modified),
          ETag: `"${object.etag}"`,
          Size: object.size,
          Owner: hasOwner ? owner : undefined,
          StorageClass: 'STANDARD',
        }
      }),
      CommonPrefixes: page.prefixes.map((binary) => ({ Prefix: text(fromBinary(binary)) })),
    }),
  }
}

const deleteSchema = z.object({
  Delete: z.object({
    // Versions are not supported.
    Object: z.array(z.object({ Key: z.string().min(1), VersionId: z.never().optional() })).max(1000),
    Quiet: z.string().optional(),
  }),
})

export async function deleteObjects({ store, request, user, payload }: Call): Promise<S3Response> {
  const { Delete } = fromXml(await textOf(payload), deleteSchema)
  const bucket = bucketOf(store, request.bucket)
  const isAllowed = ({ Key }: { Key: string }) => isPermitted(user, 's3:DeleteObject', bucket.name, Key)
  const allowed = Delete.Object.filter(isAllowed)
  for (const { Key } of allowed) if (findObject(bucket, Key)) commit(bucket, { remove: Key, at: Date.now() })
  const denied = Delete.Object.filter((object) => !isAllowed(object))
  const { code, message } = s3Error('AccessDenied')
  const isQuiet = Delete.Quiet?.trim() === 'true'
  return {
    xml: toXml('DeleteResult', {
      Deleted: isQuiet ? [] : allowed.map(({ Key }) => ({ Key })),
      Error: denied.map(({ Key }) => ({ Key, Code: code, Message: message })),
    }),
  }
}
