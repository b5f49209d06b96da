import { StringDecoder } from 'node:string_decoder'
import type S3 from 'ibm-cos-sdk/clients/s3'
import type { Settings } from '../config'
import { InvalidInputError, StorageError } from '../errors'
import { connectionsTo } from './connections'
import { asStorageError, pauseBefore } from './errors'
import { type Listing, openListing } from './listing'
import { demand, type Multipart, openMultipart, unquote } from './multipart'
import { type HourlyUrl, hourlySigner } from './presign'
import { putStream } from './put-stream'
import { openTagging, type Tagging } from './tagging'
import { receiveWhole } from './whole-body'

/** One object of a listing. */
export interface ObjectInfo {
  key: string
  etag: string
  size: number
  /** ISO 8601. */
  lastModified: string
}

/** One object with its bytes. */
export interface StoredObject extends ObjectInfo {
  body: Buffer
  metadata: Record<string, string>
  /** When the store answered, by its own clock, milliseconds since the epoch: comparable with `lastModified`. */
  servedAt: number
}

/** What a write demands of what is there: a version by etag, or nothing at all (`null`). */
export interface Precondition {
  replaces?: string | null
}

/** One bucket of an S3-compatible object store. Every method throws StorageError. */
export interface Bucket extends Multipart, Listing, Tagging {
  name: string
  /** @throws StorageError `object_not_found`, or `object_too_large` before the body is read when it is over `maxBytes` */
  get(key: string, maxBytes?: number): Promise<StoredObject>
  /** The first bytes of an object, at most so many. */
  beginning(key: string, bytes: number): Promise<Buffer>
  /** The last bytes of an object, at most so many. */
  ending(key: string, bytes: number): Promise<{ body: Buffer; etag: string; size: number }>
  /**
   * The bytes from `start` up to `end` of a version of an object.
   * @throws StorageError `precondition_failed` when it is another version
   */
  range(key: string, start: number, end: number, etag: string): Promise<Buffer>
  /** Like get, but a missing object is undefined. */
  find(key: string): Promise<StoredObject | undefined>
  head(key: string): Promise<ObjectInfo | undefined>
  /** @throws StorageError `precondition_failed` when the precondition does not hold */
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
   * Writes an object of any size in bounded memory: parts are sent while the body is still being produced. Where the body
   * fails, nothing is left.
   * @returns its etag
   * @throws what the body throws, beside StorageError
   */
  putStream(key: string, body: AsyncIterable<Buffer | string>, contentType: string): Promise<string>
  delete(key: string): Promise<void>
  /** Deletes any number of objects, a thousand with each request; it does not mind those that are not there. */
  deleteAll(keys: string[]): Promise<void>
  /**
   * The lines of a text object, read block by block as they are asked for: no connection stays open in between, however
   * long their reader takes.
   * @param options the byte with which the first line begins, how many are read at a time, and the version to read
   * @throws StorageError `precondition_failed` when the object is another version, or replaced meanwhile,
   *   `object_too_large` for a line of more than 4 MiB
   */
  lines(key: string, options?: { from?: number; blockBytes?: number; etag?: string }): AsyncIterable<string>
  /** A URL that reads the object without credentials until it expires. */
  presign(key: string, seconds: number): string
  /**
   * The same for caches: within an hour the URL of a version stays the same. It holds for at least another hour.
   * @param version whatever tells the object's versions apart, such as its etag
   */
  presignHourly(key: string, version: string): HourlyUrl
  createIfMissing(): Promise<void>
}

export interface Store {
  bucket(name: string): Bucket
}

/**
 * Opens an S3-compatible object store. Failed requests (5xx, throttling, cut connections) are retried with growing,
 * jittered pauses.
 * @param settings `insecure` disables the check of the store's certificate
 * @throws InvalidInputError when the settings name no store
 */
export function openStore(settings: Settings & { insecure?: boolean }): Store {
  const { s3Endpoint, s3Region, s3AccessKeyId, s3SecretAccessKey, s3SessionToken, ca, insecure } = settings
  if (!s3Endpoint || !s3AccessKeyId || !s3SecretAccessKey) {
    throw new InvalidInputError('not_configured', 'No object store is configured', {
      hint: 'Set WHISKLENS_S3_ENDPOINT, WHISKLENS_S3_ACCESS_KEY_ID and WHISKLENS_S3_SECRET_ACCESS_KEY.',
    })
  }
  // Loading it takes longer than a model: a container's first image in a message needs none of it.
  const Client = require('ibm-cos-sdk/clients/s3') as typeof S3
  const options: S3.ClientConfiguration = {
    endpoint: s3Endpoint,
    region: s3Region,
    accessKeyId: s3AccessKeyId,
    secretAccessKey: s3SecretAccessKey,
    sessionToken: s3SessionToken,
    s3ForcePathStyle: true,
    // Applied to every request that accepts them: those that create objects.
    params: { ServerSideEncryption: settings.s3Encryption, SSEKMSKeyId: settings.s3KmsKeyId },
    signatureVersion: 'v4',
    maxRetries: 8,
    retryDelayOptions: { customBackoff: pauseBefore },
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

/** So many objects one request may delete, says S3. */
const maxDeleted = 1000

/** Of a text, characters: what is no text at all may have no end of a line. */
const longestLine = 4 * 1024 * 1024

const lineTooLong = (address: string): StorageError =>
  new StorageError(
    'object_too_large',
    200,
    `${address} has a line of more than 4 MiB: it is no text of lines`,
  )

/** The error of one object among many, in the form of those of whole requests. */
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
    receiveWhole(request)
    let declared = 0
    let servedAt = 0
    request.on('httpHeaders', (status, headers) => {
      servedAt = Date.parse(headers.date ?? '') || Date.now()
      // The length of an error says nothing about the object.
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

  /** The bytes from `start` up to `end`; none behind those that there are. */
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
      // A store may answer with the whole of an object that is no longer.
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
      demand(request, replaces)
      const answer = await request.promise().catch((thrown) => {
        const error = asStorageError(thrown, `write s3://${name}/${key}`)
        // What was to be replaced is gone.
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
        // The request went well, and yet an object of it is still there.
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
        if (rest.length > longestLine) throw lineTooLong(`s3://${name}/${key}`)
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
