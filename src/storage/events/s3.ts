import * as z from 'zod'
import type { ImageRef } from '../../schema'
import { changeIn, etagOf, known, required, type Shape } from './shape'

/** `%F0%9F%98%80+a.jpg` → `😀 a.jpg`; a key that some sender left unencoded stays as it is. */
function decodeKey(key: string): string {
  try {
    return decodeURIComponent(key.replaceAll('+', ' '))
  } catch {
    return key
  }
}

/** One record of S3's event message, as AWS, MinIO, Versity, Ceph and the embedded store send it. */
export const s3Record: Shape = {
  name: 'S3 event',
  claims: ({ eventName, s3 }) => typeof eventName === 'string' && s3 !== undefined,
  // MinIO reports tags, retention and legal holds as ObjectCreated:PutTagging and so on; S3 has ObjectTagging:*.
  change: ({ eventName }) =>
    changeIn(eventName, /ObjectCreated:(?!Put[A-Z]|DeleteTagging)/, /ObjectRemoved:/),
  image: z
    .object({
      eventSource: z.string().optional().catch(undefined),
      s3: z.object({
        bucket: z.object({ name: required.bucket }),
        object: z.object({ key: required.key, size: known.size, eTag: known.etag }),
      }),
    })
    .transform(
      ({ eventSource, s3: { bucket, object } }): ImageRef => ({
        bucket: bucket.name,
        // S3 URL-encodes it, with `+` for a space; Ceph does not.
        key: eventSource === 'ceph:s3' ? object.key : decodeKey(object.key),
        size: object.size ?? undefined,
        etag: etagOf(object.eTag),
      }),
    ),
}

/** What AWS and Versity send to test the connection. */
export const s3Test: Shape = {
  name: 'S3 test event',
  claims: ({ Event }) => Event === 's3:TestEvent',
  change: () => undefined,
  image: z.never(),
}

/** What AWS EventBridge makes of it; here the key stands as it is. */
export const eventBridge: Shape = {
  name: 'S3 event of EventBridge',
  claims: ({ source }) => source === 'aws.s3',
  // Changes of tags, access lists and storage classes are reported the same way.
  change: (message) => changeIn(message['detail-type'], /^Object Created$/, /^Object Deleted$/),
  image: z
    .object({
      detail: z.object({
        bucket: z.object({ name: required.bucket }),
        object: z.object({ key: required.key, size: known.size, etag: known.etag }),
      }),
    })
    .transform(
      ({ detail: { bucket, object } }): ImageRef => ({
        bucket: bucket.name,
        key: object.key,
        size: object.size ?? undefined,
        etag: etagOf(object.etag),
      }),
    ),
}
