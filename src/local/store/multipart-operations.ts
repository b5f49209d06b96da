import { createHash, randomBytes } from 'node:crypto'
import * as z from 'zod'
import { now, readBody, storeBody } from './body'
import { type Body, type Bucket, commit, type Part, type Upload } from './bucket'
import { countOf, isoDate, owner } from './bucket-operations'
import { checkWrite, rangeOf } from './conditions'
import { encryptionIn, encryptionOf, hasOpaqueEtag } from './encryption'
import { toBinary } from './listing'
import { copyResult, copySource, storedHeaders } from './object-operations'
import { textOf } from './payload'
import { encodedPath, header, type S3Response } from './request'
import { s3Error } from './s3-error'
import { bucketOf, type Call, findObject } from './store'
import { tagsOf } from './tagging'
import { fromXml, toXml } from './xml'

const minPartSize = 5 * 1024 * 1024
const maxParts = 10_000

function uploadOf({ store, request }: Call): { bucket: Bucket; upload: Upload } {
  const bucket = bucketOf(store, request.bucket)
  const upload = bucket.uploads.get(request.query.get('uploadId') ?? '')
  if (upload?.key !== request.key) throw s3Error('NoSuchUpload')
  return { bucket, upload }
}

export function createUpload(call: Call): S3Response {
  const { store, request } = call
  const bucket = bucketOf(store, request.bucket)
  const { key } = request
  const id = randomBytes(16).toString('hex')
  const encryption = encryptionOf(call)
  const headers = { ...storedHeaders(request), ...encryption }
  commit(bucket, { upload: { id, key, headers, tags: tagsOf(call), initiated: now() } })
  const xml = toXml('InitiateMultipartUploadResult', { Bucket: bucket.name, Key: key, UploadId: id })
  return { xml, headers: encryption }
}

function partNumberOf({ request }: Call): number {
  const number = Number(request.query.get('partNumber'))
  if (Number.isInteger(number) && number >= 1 && number <= maxParts) return number
  throw s3Error('InvalidArgument', `Part number must be an integer between 1 and ${maxParts}`)
}

async function storePart(call: Call, source: AsyncIterable<Buffer>) {
  const number = partNumberOf(call)
  const { bucket, upload } = uploadOf(call)
  const onStored = (body: Body): void => {
    // The upload may have been completed or aborted meanwhile.
    uploadOf(call)
    commit(bucket, { part: { ...body, number }, of: upload.id })
  }
  const body = await storeBody(bucket, source, onStored, hasOpaqueEtag(upload.headers))
  return { body, encryption: encryptionIn(upload.headers) }
}

export async function uploadPart(call: Call): Promise<S3Response> {
  const { body, encryption } = await storePart(call, call.payload)
  return { headers: { etag: `"${body.etag}"`, ...encryption } }
}

export async function uploadPartCopy(call: Call): Promise<S3Response> {
  const { from, source } = copySource(call)
  const range = rangeOf(header(call.request, 'x-amz-copy-source-range'), source.size)
  const { body, encryption } = await storePart(call, readBody(from, source, range?.first, range?.last))
  return { ...copyResult('CopyPartResult', body), headers: encryption }
}

const partSchema = z.object({ PartNumber: z.coerce.number().int(), ETag: z.string() })
const completeSchema = z.object({
  CompleteMultipartUpload: z.object({ Part: z.array(partSchema).min(1).max(maxParts) }),
})

/** Stored parts in the order of the request. */
function chosenParts(upload: Upload, listed: z.infer<typeof partSchema>[]): Part[] {
  const isOrdered = listed.every(({ PartNumber }, index) => PartNumber > (listed[index - 1]?.PartNumber ?? 0))
  if (!isOrdered) throw s3Error('InvalidPartOrder')
  return listed.map(({ PartNumber, ETag }, index) => {
    const part = upload.parts.get(PartNumber)
    if (part?.etag !== ETag.trim().replaceAll('"', '')) throw s3Error('InvalidPart')
    if (index < listed.length - 1 && part.size < minPartSize) throw s3Error('EntityTooSmall')
    return part
  })
}

export async function completeUpload(call: Call): Promise<S3Response> {
  const { CompleteMultipartUpload } = fromXml(await textOf(call.payload), completeSchema)
  const { bucket, upload } = uploadOf(call)
  const { key, headers, tags, id } = upload
  const parts = chosenParts(upload, CompleteMultipartUpload.Part)
  checkWrite(findObject(bucket, key), call.request.headers)
  const md5s = Buffer.concat(parts.map(({ etag }) => Buffer.from(etag, 'hex')))
  const etag = `${createHash('md5').update(md5s).digest('hex')}-${parts.length}`
  async function* bytes(): AsyncGenerator<Buffer> {
    for (const part of parts) yield* readBody(bucket, part)
  }
  await storeBody(bucket, bytes(), (body) => {
    uploadOf(call)
    checkWrite(findObject(bucket, key), call.request.headers)
    commit(bucket, { put: { ...body, etag, key, headers, tags, via: 'CompleteMultipartUpload' }, from: id })
  })
  const location = `http://${call.request.headers.host}/${encodedPath(`${bucket.name}/${key}`)}`
  const result = { Location: location, Bucket: bucket.name, Key: key, ETag: `"${etag}"` }
  return { xml: toXml('CompleteMultipartUploadResult', result), headers: encryptionIn(headers) }
}

export function abortUpload(call: Call): S3Response {
  const { bucket, upload } = uploadOf(call)
  commit(bucket, { abort: upload.id })
  return { status: 204 }
}

export function listParts(call: Call): S3Response {
  const { bucket, upload } = uploadOf(call)
  const limit = countOf(call.request.query, 'max-parts')
  const marker = Number(call.request.query.get('part-number-marker') ?? 0)
  const parts = [...upload.parts.values()]
    .filter(({ number }) => number > marker)
    .sort((a, b) => a.number - b.number)
  const page = parts.slice(0, limit)
  return {
    xml: toXml('ListPartsResult', {
      Bucket: bucket.name,
      Key: upload.key,
      UploadId: upload.id,
      Initiator: owner,
      Owner: owner,
      StorageClass: 'STANDARD',
      PartNumberMarker: marker,
      NextPartNumberMarker: page.at(-1)?.number ?? marker,
      MaxParts: limit,
      IsTruncated: parts.length > page.length,
      Part: page.map(({ number, etag, size, modified }) => ({
        PartNumber: number,
        LastModified: isoDate(modified),
        ETag: `"${etag}"`,
        Size: size,
      })),
    }),
  }
}

export function listUploads({ store, request: { bucket: name, query } }: Call): S3Response {
  const bucket = bucketOf(store, name)
  const prefix = query.get('prefix') ?? ''
  const keyMarker = query.get('key-marker') ?? ''
  const idMarker = query.get('upload-id-marker') ?? ''
  const limit = countOf(query, 'max-uploads')
  // A key marker alone skips all uploads of that key; with an upload id, its further uploads come first.
  const placeOf = (key: string, id: string): string => `${toBinary(key)}\0${id}`
  const from = placeOf(keyMarker, idMarker || '\xff')
  const uploads = [...bucket.uploads.values()]
    .filter(({ key, id }) => key.startsWith(prefix) && (keyMarker === '' || placeOf(key, id) > from))
    .sort((a, b) => (placeOf(a.key, a.id) < placeOf(b.key, b.id) ? -1 : 1))
  const page = uploads.slice(0, limit)
  const last = uploads.length > page.length ? page.at(-1) : undefined
  return {
    xml: toXml('ListMultipartUploadsResult', {
      Bucket: name,
      KeyMarker: keyMarker,
      UploadIdMarker: idMarker,
      NextKeyMarker: last?.key,
      NextUploadIdMarker: last?.id,
      Prefix: prefix,
      MaxUploads: limit,
      IsTruncated: last !== undefined,
      Upload: page.map(({ key, id, initiated }) => ({
        Key: key,
        UploadId: id,
        Initiator: owner,
        Owner: owner,
        StorageClass: 'STANDARD',
        Initiated: isoDate(initiated),
      })),
    }),
  }
}
