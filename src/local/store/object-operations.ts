import { requirePermission } from './access'
import { readBody, storeBody } from './body'
import type { Body, Bucket, StoredObject } from './bucket'
import { commit } from './bucket'
import { isoDate } from './bucket-operations'
import { checkRead, checkWrite, rangeOf } from './conditions'
import { encryptionOf, hasOpaqueEtag, withoutEncryption } from './encryption'
import { decoded, header, type S3Request, type S3Response, splitPath } from './request'
import { s3Error } from './s3-error'
import { bucketOf, type Call, findObject, objectOf } from './store'
import { tagCount, tagsOf, tagsOfCopy } from './tagging'
import { toXml } from './xml'

/** Headers stored with an object; a GET can override them with `response-<name>`. */
const storedHeaderNames = [
  'content-type',
  'content-encoding',
  'content-language',
  'content-disposition',
  'cache-control',
  'expires',
]

const maxMetadata = 2048

/** Request headers to store with the object. */
export function storedHeaders({ headers }: S3Request): Record<string, string> {
  const kept: Record<string, string> = { 'content-type': 'binary/octet-stream' }
  let metadata = 0
  for (const [name, value] of Object.entries(headers)) {
    const isMetadata = name.startsWith('x-amz-meta-')
    if (typeof value !== 'string' || !(isMetadata || storedHeaderNames.includes(name))) continue
    if (isMetadata) metadata += name.length - 'x-amz-meta-'.length + value.length
    // aws-chunked is a transfer encoding, not part of the object.
    const text = name === 'content-encoding' ? value.replace(/(^|, *)aws-chunked *(, *)?/, '') : value
    if (text !== '' || isMetadata) kept[name] = text
  }
  if (metadata > maxMetadata) throw s3Error('MetadataTooLarge')
  return kept
}

export async function putObject(call: Call): Promise<S3Response> {
  const { store, request, payload } = call
  const bucket = bucketOf(store, request.bucket)
  const { key } = request
  const encryption = encryptionOf(call)
  const headers = { ...storedHeaders(request), ...encryption }
  const tags = tagsOf(call)
  const onStored = (body: Body): void => {
    checkWrite(findObject(bucket, key), request.headers)
    commit(bucket, { put: { ...body, key, headers, tags, via: 'Put' } })
  }
  const { etag } = await storeBody(bucket, payload, onStored, hasOpaqueEtag(headers))
  return { headers: { etag: `"${etag}"`, ...encryption } }
}

/** The object in x-amz-copy-source, if its preconditions hold. */
export function copySource({ store, request, user }: Call): { from: Bucket; source: StoredObject } {
  const [path = '', version] = (header(request, 'x-amz-copy-source') ?? '').split('?versionId=')
  if (version !== undefined && version !== 'null')
    throw s3Error('NotImplemented', 'Versions are not supported')
  const { bucket, key } = splitPath(decoded(path))
  requirePermission(user, 's3:GetObject', bucket, key)
  const from = bucketOf(store, bucket)
  const source = objectOf(from, key, user)
  if (checkRead(source, request.headers, 'x-amz-copy-source-') !== 'ok') throw s3Error('PreconditionFailed')
  return { from, source }
}

/** Response to a copy. */
export const copyResult = (root: string, { etag, modified }: Body): S3Response => ({
  xml: toXml(root, { LastModified: isoDate(modified), ETag: `"${etag}"` }),
})

export async function copyObject(call: Call): Promise<S3Response> {
  const { store, request } = call
  const bucket = bucketOf(store, request.bucket)
  const { key } = request
  const { from, source } = copySource(call)
  const tags = tagsOfCopy(call, source)
  const replaces = header(request, 'x-amz-metadata-directive')?.toUpperCase() === 'REPLACE'
  if (!replaces && from === bucket && source.key === key) {
    throw s3Error(
      'InvalidRequest',
      'An object can be copied to itself only with new metadata (directive REPLACE)',
    )
  }
  const encryption = encryptionOf(call)
  const headers = {
    ...(replaces ? storedHeaders(request) : withoutEncryption(source.headers)),
    ...encryption,
  }
  const onStored = (body: Body): void => {
    checkWrite(findObject(bucket, key), request.headers)
    commit(bucket, { put: { ...body, key, headers, tags, via: 'Copy' } })
  }
  const body = await storeBody(bucket, readBody(from, source), onStored, hasOpaqueEtag(headers))
  return { ...copyResult('CopyObjectResult', body), headers: encryption }
}

/** `response-content-type=…` and the like, as header bytes. */
function overrides(query: URLSearchParams): Record<string, string> {
  const given = storedHeaderNames.flatMap((name) => {
    const value = query.get(`response-${name}`)?.replace(/\p{Cc}/gu, ' ')
    return value === undefined ? [] : [[name, Buffer.from(value).toString('latin1')]]
  })
  return Object.fromEntries(given)
}

/** GetObject and HeadObject. */
export function getObject(call: Call): S3Response {
  const { store, request, user } = call
  const bucket = bucketOf(store, request.bucket)
  const object = objectOf(bucket, request.key, user)
  const validators = { etag: `"${object.etag}"`, 'last-modified': new Date(object.modified).toUTCString() }
  if (checkRead(object, request.headers) === 'not-modified') return { status: 304, headers: validators }
  const range = rangeOf(header(request, 'range'), object.size)
  const { first, last } = range ?? { first: 0, last: object.size - 1 }
  const headers = {
    ...object.headers,
    ...overrides(request.query),
    ...tagCount(call, object),
    ...validators,
    'accept-ranges': 'bytes',
    'content-length': `${last - first + 1}`,
    ...(range ? { 'content-range': `bytes ${first}-${last}/${object.size}` } : {}),
  }
  const stream = request.method === 'HEAD' ? undefined : readBody(bucket, object, first, last)
  return { status: range ? 206 : 200, headers, stream }
}

export function deleteObject({ store, request }: Call): S3Response {
  const bucket = bucketOf(store, request.bucket)
  if (request.headers['if-match'] !== undefined)
    throw s3Error('NotImplemented', 'Conditional deletes are not supported')
  if (findObject(bucket, request.key)) commit(bucket, { remove: request.key, at: Date.now() })
  return { status: 204 }
}
