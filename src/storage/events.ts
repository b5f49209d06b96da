import * as z from 'zod'
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

/** What AWS EventBridge makes of it; here the key stands as it is. */
const eventBridgeSchema = z.object({
  source: z.literal('aws.s3'),
  'detail-type': z.string(),
  detail: z.object({
    bucket: z.object({ name: z.string().min(1) }),
    object: z.object({
      key: z.string().min(1),
      size: z.int().nonnegative().optional(),
      etag: z.string().optional(),
    }),
  }),
})

/** What AWS SNS wraps around it. */
const snsSchema = z.object({ Type: z.literal('Notification'), Message: z.string() })

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

type S3Event = z.infer<typeof s3EventSchema>

const fromS3 = ({ Records }: S3Event): ImageEvent[] =>
  Records.filter(({ eventName }) => /Object(Created|Removed):/.test(eventName)).map(
    ({ eventName, s3: { bucket, object } }) => ({
      bucket: bucket.name,
      key: decodeKey(object.key),
      size: object.size ?? undefined,
      etag: unquote(object.eTag),
      removed: eventName.includes('ObjectRemoved:'),
    }),
  )

function fromEventBridge({ 'detail-type': type, detail }: z.infer<typeof eventBridgeSchema>): ImageEvent[] {
  const { bucket, object } = detail
  const removed = type === 'Object Deleted'
  // Changes of tags, access lists and storage classes are told the same way.
  if (!removed && type !== 'Object Created') return []
  return [{ bucket: bucket.name, key: object.key, size: object.size, etag: unquote(object.etag), removed }]
}

const fromCos = ({
  bucket,
  key,
  status,
  file,
  notification,
}: z.infer<typeof cosEventSchema>): ImageEvent[] => [
  {
    bucket,
    key,
    etag: unquote(file?.ETag ?? notification?.object_etag),
    size: file?.Size ?? notification?.object_length,
    lastModified: file?.LastModified,
    removed: status === 'deleted',
  },
]

/** JSON that may be none. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/**
 * The images of a bucket notification, or undefined when the message is none.
 * An S3 message without records about objects (a test event, say) gives an empty list.
 */
export function parseEvent(message: unknown): ImageEvent[] | undefined {
  const s3 = s3EventSchema.safeParse(message)
  if (s3.success) return fromS3(s3.data)
  if (testEventSchema.safeParse(message).success) return []
  const eventBridge = eventBridgeSchema.safeParse(message)
  if (eventBridge.success) return fromEventBridge(eventBridge.data)
  const sns = snsSchema.safeParse(message)
  if (sns.success) return parseEvent(parseJson(sns.data.Message))
  const cos = cosEventSchema.safeParse(message)
  return cos.success ? fromCos(cos.data) : undefined
}
