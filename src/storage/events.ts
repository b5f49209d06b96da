import { z } from 'zod'
import type { ImageRef } from '../schema'

/** S3's event message, as AWS, MinIO, Versity and the embedded store send it. */
const s3EventSchema = z.object({
  Records: z.array(
    z.object({
      eventName: z.string(),
      eventTime: z.string().optional(),
      s3: z.object({
        bucket: z.object({ name: z.string().min(1) }),
        object: z.object({
          /** URL-encoded, `+` for a space. */
          key: z.string().min(1),
          // Versity writes null for what it does not know.
          size: z.coerce.number().int().nonnegative().nullish(),
          eTag: z.string().nullish(),
        }),
      }),
    }),
  ),
})

/** What stores send to see whether anybody listens. */
const testEventSchema = z.object({ Event: z.literal('s3:TestEvent') })

/** What an IBM Cloud Object Storage trigger fired with. */
const cosEventSchema = z.object({
  bucket: z.string().min(1),
  key: z.string().min(1),
  status: z.string().optional(),
  file: z
    .object({
      ETag: z.string().optional(),
      Size: z.coerce.number().optional(),
      LastModified: z.string().optional(),
    })
    .optional(),
  notification: z
    .object({
      content_type: z.string().optional(),
      object_etag: z.string().optional(),
      object_length: z.coerce.number().optional(),
    })
    .optional(),
})

/** One image that came or went. */
export interface ImageEvent extends ImageRef {
  removed: boolean
}

const unquote = (etag: string | null | undefined): string | undefined =>
  etag?.replaceAll('"', '') || undefined

/** `%F0%9F%98%80+a.jpg` → `😀 a.jpg`; a key that some sender left unencoded stays as it is. */
function decodeKey(key: string): string {
  try {
    return decodeURIComponent(key.replaceAll('+', ' '))
  } catch {
    return key
  }
}

/**
 * The images of a bucket notification, or undefined when the message is none.
 * An S3 message without records about objects (a test event, say) gives an empty list.
 */
export function parseEvent(message: unknown): ImageEvent[] | undefined {
  const s3 = s3EventSchema.safeParse(message)
  if (s3.success) {
    return s3.data.Records.filter(({ eventName }) => /Object(Created|Removed):/.test(eventName)).map(
      ({ eventName, s3: { bucket, object } }) => ({
        bucket: bucket.name,
        key: decodeKey(object.key),
        size: object.size ?? undefined,
        etag: unquote(object.eTag),
        removed: eventName.includes('ObjectRemoved:'),
      }),
    )
  }
  if (testEventSchema.safeParse(message).success) return []
  const cos = cosEventSchema.safeParse(message)
  if (!cos.success) return undefined
  const { bucket, key, status, file, notification } = cos.data
  return [
    {
      bucket,
      key,
      etag: unquote(file?.ETag ?? notification?.object_etag),
      size: file?.Size ?? notification?.object_length,
      lastModified: file?.LastModified,
      removed: status === 'deleted',
    },
  ]
}
