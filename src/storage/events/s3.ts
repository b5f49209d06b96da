import * as z from 'zod'
import type { ImageRef } from '../../schema'
import { changeIn, normalizeEtag, optional, required, type Shape } from './shape'

/** `%F0%9F%98%80+a.jpg` → `😀 a.jpg`. A key that a sender left unencoded stays unchanged. */
function decodeKey(key: string): string {
  try {
    return decodeURIComponent(key.replaceAll('+', ' '))
  } catch {
    return key
  }
}

/** A record of S3's event message, as sent by AWS, MinIO, Versity, Ceph and the embedded store. */
export const s3Record: Shape = {
  name: 'S3 event',
  matches: ({ eventName, s3 }) => typeof eventName === 'string' && s3 !== undefined,
  // MinIO reports tags, retention and legal holds as ObjectCreated:PutTagging and so on; S3 has ObjectTagging:*.
  change: ({ eventName }) =>
    changeIn(eventName, /ObjectCreated:(?!Put[A-Z]|DeleteTagging)/, /ObjectRemoved:/),
  image: z
    .object({
      eventSource: z.string().optional().catch(undefined),
      s3: z.object({
        bucket: z.object({ name: required.bucket }),
        object: z.object({ key: required.key, size: optional.size, eTag: optional.etag }),
      }),
    })
    .transform(
      ({ eventSource, s3: { bucket, object } }): ImageRef => ({
        bucket: bucket.name,
        // S3 URL-encodes keys, with `+` for a space; Ceph does not.
        key: eventSource === 'ceph:s3' ? object.key : decodeKey(object.key),
        size: object.size ?? undefined,
        etag: normalizeEtag(object.eTag),
      }),
    ),
}

/** The connection test of AWS and Versity. */
export const s3Test: Shape = {
  name: 'S3 test event',
  matches: ({ Event }) => Event === 's3:TestEvent',
  change: () => undefined,
  image: z.never(),
}

/** An S3 event via AWS EventBridge, which does not encode keys. */
export const eventBridge: Shape = {
  name: 'S3 event of EventBridge',
  matches: ({ source }) => source === 'aws.s3',
  // Changes of tags, access lists and storage classes have other detail types.
  change: (message) => changeIn(message['detail-type'], /^Object Created$/, /^Object Deleted$/),
  image: z
    .object({
      detail: z.object({
        bucket: z.object({ name: required.bucket }),
        object: z.object({ key: required.key, size: optional.size, etag: optional.etag }),
      }),
    })
    .transform(
      ({ detail: { bucket, object } }): ImageRef => ({
        bucket: bucket.name,
        key: object.key,
        size: object.size ?? undefined,
        etag: normalizeEtag(object.etag),
      }),
    ),
}
