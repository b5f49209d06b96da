import { StringDecoder } from 'node:string_decoder'
import type S3 from 'ibm-cos-sdk/clients/s3'
import type { Settings } from '../config'
import { InvalidInputError, StorageError } from '../errors'
import { connectionsTo } from './connections'
import { asStorageError, backoffBefore } from './errors'
import { type Listing, openListing } from './listing'
import { type Multipart, openMultipart, setPrecondition, unquote } from './multipart'
import { type HourlyUrl, hourlySigner } from './presign'
import { putStream } from './put-stream'
import { openTagging, type Tagging } from './tagging'
import { receiveInPlace } from './whole-body'

/** A listed object. */
export interface ObjectInfo {
  key: string
  etag: string
  size: number
  /** ISO 8601. */
  lastModified: string
}

/** An object with its body. */
export interface StoredObject extends ObjectInfo {
  body: Buffer
  metadata: Record<string, string>
  /** When the store responded, by its clock, milliseconds since the epoch: comparable with `lastModified`. */
  servedAt: number
}

/** The precondition of a write: the etag to replace, or `null` for no object. */
export interface Precondition {
  replaces?: string | null
}

/** A bucket of an S3-compatible store. Every method throws StorageError. */
export interface Bucket extends Multipart, Listing, Tagging {
  name: string
  /** @throws StorageError `object_not_found`, or `object_too_large` before reading a body over `maxBytes` */
  get(key: string, maxBytes?: number): Promise<StoredObject>
  /** The first bytes of an object. */
  beginning(key: string, bytes: number): Promise<Buffer>
  /** The last bytes of an object. */
  ending(key: string, bytes: number): Promise<{ body: Buffer; etag: string; size: number }>
  /**
   * The bytes from `start` to `end`, exclusive, of an object version.
   * @throws StorageError `precondition_failed` for another version
   */
  range(key: string, start: number, end: number, etag: string): Promise<Buffer>
  /** Like `get`, but undefined for a missing object. */
  find(key: string): Promise<StoredObject | undefined>
  head(key: string): Promise<ObjectInfo | undefined>
  /** @throws StorageError `precondition_failed` */
  put(
    key: string,
    body: Buffer | string,
    options?: Precondition & {
      contentType?: string
      cacheControl?: string
      metadata?: Record<string, string>
    },
  ): Promise<string>
  /**
   * Writes an object of any size in bounded memory, sending parts while the body is produced. If the body fails nothing
   * is left.
   * @returns the etag
   * @throws StorageError, and errors of the body
   */
  putStream(key: string, body: AsyncIterable<Buffer | string>, contentType: string): Promise<string>
  delete(key: string): Promise<void>
  /** Deletes any number of objects, a thousand per request; ignores missing ones. */
  deleteAll(keys: string[]): Promise<void>
  /**
   * Reads the lines of a text object block by block, on demand: no connection stays open between blocks.
   * @param options offset of the first line, size of a block, and version to read
   * @throws StorageError `precondition_failed` for another version or one replaced meanwhile, `object_too_large` for a
   * line over 4 MiB
   */
  lines(key: string, options?: { from?: number; blockBytes?: number; etag?: string }): AsyncIterable<string>
  /** A URL that reads the object without credentials until it expires. */
  presign(key: string, seconds: number): string
  /**
   * A cacheable URL: for an hour that of a version stays the same. It is valid for at least another hour.
   * @param version distinguishes the object's versions, such as its etag
   */
  presignHourly(key: string, version: string): HourlyUrl
  createIfMissing(): Promise<void>
}

export interface Store {
  bucket(name: string): Bucket
}

/**
 * Opens an S3-compatible store. Failed requests (5xx, throttling, broken connections) are retried with jittered
 * exponential backoff.
 * @param settings `insecure` disables the check of the store's certificate
 * @throws InvalidInputError when no store is configured
 */
export function openStore(settings: Settings & { insecure?: boolean }): Store {
  const { s3Endpoint, s3Region, s3AccessKeyId, s3SecretAccessKey, s3SessionToken, ca, insecure } = settings
  if (!s3Endpoint || !s3AccessKeyId || !s3SecretAccessKey) {
    throw new InvalidInputError('not_configured', 'No object store is configured', {
      hint: 'Set WHISKLENS_S3_ENDPOINT, WHISKLENS_S3_ACCESS_KEY_ID and WHISKLENS_S3_SECRET_ACCESS_KEY.',
    })
  }
  // Loaded lazily: it takes longer than loading a model, and inline images do not need it.
  const Client = require('ibm-cos-sdk/clients/s3') as typeof S3
  const options: S3.ClientConfiguration = {
    endpoint: s3Endpoint,
    region: s3Region,
    accessKeyId: s3AccessKeyId,
    secretAccessKey: s3SecretAccessKey,
    sessionToken: s3SessionToken,
    s3ForcePathStyle: true,
    // Applied to all requests that accept them: those that create objects.
    params: { ServerSideEncryption: settings.s3Encryption, SSEKMSKeyId: settings.s3KmsKeyId },
    signatureVersion: 'v4',
    maxRetries: 8,
    retryDelayOptions: { customBackoff: backoffBefore },
    httpOptions: {
      connectTimeout: 10_000,
      timeout: 60_000,
      agent: connectionsTo(s3Endpoint, { ca, insecure }),
    },
  }
  const s3 = new Client(options)
  const signHourly = hourlySigner(() => new Client(options))
  return { bucket: (name) => openBucket(s3, name, signHourly) }
}

/** The limit of S3 per request. */
const maxDeleted = 1000

/** Characters. A file that is not text may have no line break. */
const maxLine = 4 * 1024 * 1024

const lineTooLong = (address: string): StorageError =>
  new StorageError(
    'object_too_large',
    200,
    `${address} has a line of more than 4 MiB, and is not a text file`,
  )

/** The error of one object in a batch request, in the form of other SDK errors. */
const sdkError = ({ Code: code, Message }: S3.Error): Error =>
  Object.assign(new Error(Message), { code, statusCode: code === 'AccessDenied' ? 403 : 500 })

function openBucket(s3: S3, name: string, signHourly: ReturnType<typeof hourlySigner>): Bucket {
  const at = (key: string) => ({ Bucket: name, Key: key })
  const failed =
    (action: string, key?: string) =>
    (thrown: unknown): never => {
      throw asStorageError(thrown, `${action} s3://${name}/${key ?? ''}`)
    }

  async function get(key: string, maxBytes = Number.POSITIVE_INFINITY): Promise<StoredObject> {
    const request = s3.getObject(at(key))
    receiveInPlace(request)
    let declared = 0
    let servedAt = 0
    request.on('httpHeaders', (status, headers) => {
      servedAt = Date.parse(headers.date ?? '') || Date.now()
      // The length of an error response is not the object's.
      declared = status < 300 ? Number(headers['content-length'] ?? 0) : 0
      if (declared > maxBytes) request.abort()
    })
    const answer = await request.promise().catch((thrown) => {
      throw asStorageError(thrown, `read s3://${name}/${key}`, declared > maxBytes ? declared : undefined)
    })
    const body = answer.Body as Buffer
    return {
      key,
      body,
      etag: unquote(answer.ETag),
      size: body.length,
      lastModified: (answer.LastModified ?? new Date(0)).toISOString(),
      metadata: answer.Metadata ?? {},
      servedAt,
    }
  }

  /** The bytes from `start` to `end`, exclusive; empty past the end of the object. */
  const getBlock = (key: string, start: number, end: number, IfMatch?: string): Promise<S3.GetObjectOutput> =>
    s3
      .getObject({ ...at(key), Range: `bytes=${start}-${end - 1}`, IfMatch })
      .promise()
      .catch((thrown) => {
        if ((thrown as { statusCode?: number }).statusCode === 416) return { Body: Buffer.alloc(0) }
        throw asStorageError(thrown, `read s3://${name}/${key}`)
      })

  const missingIsUndefined =
    (key: string) =>
    (thrown: unknown): undefined => {
      const error = asStorageError(thrown, `read s3://${name}/${key}`)
      if (error.code === 'object_not_found') return undefined
      throw error
    }

  const opened: Bucket = {
    ...openMultipart(s3, name),
    ...openListing(s3, name),
    ...openTagging(s3, name),
    name,
    get,
    beginning: async (key, bytes) => (await getBlock(key, 0, bytes)).Body as Buffer,
    ending: async (key, bytes) => {
      const answer = await s3
        .getObject({ ...at(key), Range: `bytes=-${bytes}` })
        .promise()
        .catch(failed('read', key))
      const body = answer.Body as Buffer
      // A store may return the whole of an object shorter than the range.
      const size = Number(answer.ContentRange?.split('/')[1] ?? body.length)
      return { body, etag: unquote(answer.ETag), size }
    },
    range: async (key, start, end, etag) => (await getBlock(key, start, end, `"${etag}"`)).Body as Buffer,
    find: (key) => get(key).catch(missingIsUndefined(key)),
    head: (key) =>
      s3
        .headObject(at(key))
        .promise()
        .then((answer) => ({
          key,
          etag: unquote(answer.ETag),
          size: answer.ContentLength ?? 0,
          lastModified: (answer.LastModified ?? new Date(0)).toISOString(),
        }))
        .catch(missingIsUndefined(key)),
    put: async (key, body, { replaces, contentType, cacheControl, metadata } = {}) => {
      const request = s3.putObject({
        ...at(key),
        Body: body,
        ContentType: contentType,
        CacheControl: cacheControl,
        Metadata: metadata,
      })
      setPrecondition(request, replaces)
      const answer = await request.promise().catch((thrown) => {
        const error = asStorageError(thrown, `write s3://${name}/${key}`)
        // The object to replace is gone.
        const gone = typeof replaces === 'string' && error.code === 'object_not_found'
        throw gone ? new StorageError('precondition_failed', 412, error.message, { cause: thrown }) : error
      })
      return unquote(answer.ETag)
    },
    putStream: (key, body, contentType) => putStream(opened, key, body, contentType),
    delete: async (key) => {
      await s3.deleteObject(at(key)).promise().catch(failed('delete', key))
    },
    deleteAll: async (keys) => {
      for (let from = 0; from < keys.length; from += maxDeleted) {
        const Objects = keys.slice(from, from + maxDeleted).map((key) => ({ Key: key }))
        const request = s3.deleteObjects({ Bucket: name, Delete: { Objects, Quiet: true } })
        const [refused] = (await request.promise().catch(failed('delete from'))).Errors ?? []
        // The request succeeded, but this object was not deleted.
        if (refused) failed('delete', refused.Key)(sdkError(refused))
      }
    },
    lines: async function* (key, { from = 0, blockBytes = 1024 * 1024, etag } = {}) {
      const decoder = new StringDecoder('utf8')
      let rest = ''
      let version = etag && `"${etag}"`
      for (let start = from, size = start + 1; start < size; start += blockBytes) {
        const { Body, ETag, ContentRange } = await getBlock(key, start, start + blockBytes, version)
        version = ETag
        size = Number(ContentRange?.split('/')[1] ?? 0)
        const lines = `${rest}${decoder.write(Body as Buffer)}`.split('\n')
        rest = lines.pop() ?? ''
        if (rest.length > maxLine) throw lineTooLong(`s3://${name}/${key}`)
        yield* lines
      }
      if (rest !== '') yield rest
    },
    presignHourly: (key, version) => signHourly(name, key, version),
    presign: (key, seconds) => s3.getSignedUrl('getObject', { ...at(key), Expires: seconds }),
    createIfMissing: async () => {
      await s3
        .createBucket({ Bucket: name })
        .promise()
        .catch((thrown) => {
          if ((thrown as { code?: string }).code !== 'BucketAlreadyOwnedByYou') failed('create')(thrown)
        })
    },
  }
  return opened
}
