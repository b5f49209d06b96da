import * as z from 'zod'

export const labelSchema = z.strictObject({
  label: z.string(),
  className: z.string(),
  wordnetId: z.string(),
  index: z.int().nonnegative(),
  probability: z.number().min(0).max(1),
})

const probability = z.number().min(0).max(1)

/** One thing in an image, and where it is. */
export const detectionSchema = z.strictObject({
  label: z.string(),
  probability,
  /** Top, left, bottom, right, as shares of the upright image's height and width. */
  box: z.tuple([probability, probability, probability, probability]),
  /** Of a face, all that are told apart, most probable first. */
  emotions: z.array(z.strictObject({ label: z.string(), probability })).optional(),
  /** Of a face, in years, estimated. */
  age: z.number().nonnegative().optional(),
})
export type Detection = z.infer<typeof detectionSchema>

/** What a camera wrote into a photo. */
export const exifSchema = z.strictObject({
  /** By the camera's clock, ISO 8601 to the second; with an offset from UTC where the photo has one. */
  takenAt: z
    .string()
    .regex(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d([+-]\d\d:\d\d)?$/)
    .optional(),
  /** Make and model. */
  camera: z.string().optional(),
  /** Degrees north and east. Only in the records of batches that asked for it. */
  position: z
    .strictObject({ latitude: z.number().min(-90).max(90), longitude: z.number().min(-180).max(180) })
    .optional(),
})
export type Exif = z.infer<typeof exifSchema>

/** A small picture of an image, upright, in the results bucket. */
export const thumbnailSchema = z.strictObject({
  key: z.string(),
  width: z.int().positive(),
  height: z.int().positive(),
  bytes: z.int().positive(),
})
export type Thumbnail = z.infer<typeof thumbnailSchema>

/** What is known of one image, success or failure. */
export const recordSchema = z.strictObject({
  schema: z.literal('whisklens.record/1'),
  bucket: z.string(),
  key: z.string(),
  /** Version of the image that was classified; null when it could not be read. */
  etag: z.string().nullable(),
  size: z.int().nonnegative().nullable(),
  lastModified: z.string().nullable(),
  /** `<id>@<8 hex>`. */
  model: z.string(),
  engine: z.string(),
  status: z.enum(['ok', 'error']),
  /** Five labels, most probable first; none for an error. */
  labels: z.array(labelSchema),
  detections: z.array(detectionSchema).optional(),
  width: z.int().positive().nullable(),
  height: z.int().positive().nullable(),
  format: z.string().nullable(),
  exif: exifSchema.optional(),
  thumbnail: thumbnailSchema.optional(),
  error: z
    .strictObject({
      code: z.string(),
      message: z.string(),
      retryable: z.boolean(),
      attempts: z.int().positive(),
    })
    .optional(),
  /** Of an image that was to be tagged: whether it was, or why not. */
  tagging: z
    .strictObject({
      status: z.enum(['ok', 'error']),
      code: z.string().optional(),
      message: z.string().optional(),
    })
    .optional(),
  /** Milliseconds. */
  timings: z.strictObject({ download: z.number(), decode: z.number(), infer: z.number() }),
  activationId: z.string(),
  /** When the download began, ISO 8601: what the record says held at that moment. */
  at: z.string(),
})
export type ImageRecord = z.infer<typeof recordSchema>
