import * as z from 'zod'

/** One image in a bucket; what is known of its version beyond the name, where the sender told it. */
/** Half a surrogate pair has no bytes in UTF-8: no object can have it in its key. */
export const keySchema = z
  .string()
  .min(1)
  .refine((key) => !/\p{Surrogate}/u.test(key), 'expected Unicode')

export const imageRefSchema = z.object({
  bucket: z.string().min(1),
  key: keySchema,
  etag: z.string().optional(),
  size: z.int().nonnegative().optional(),
  /** ISO 8601. */
  lastModified: z.string().optional(),
})
export type ImageRef = z.infer<typeof imageRefSchema>

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

/** Which part of a batch's plan: positions `start` to `end`, the latter excluded. */
export const rangeSchema = z.object({ start: z.int().nonnegative(), end: z.int().positive() })
export type Range = z.infer<typeof rangeSchema>

export const batchIdSchema = z
  .string()
  .regex(/^[a-z0-9][a-z0-9._-]{0,63}$/, 'expected 1–64 of a–z, 0–9, dot, dash and underscore')

/** `wsk` turns what looks like a number or a boolean into one; people type both as text elsewhere. */
const text = z.union([z.string(), z.number(), z.boolean()]).transform(String)
const flag = z
  .union([z.boolean(), z.enum(['true', 'false', ''])])
  .transform((value) => value === true || value === 'true')
const count = z.coerce.number().int().positive()

const unitsOfSize = { '': 1, k: 1024, m: 1024 ** 2, g: 1024 ** 3 }
const size = text
  .pipe(z.string().regex(/^\d+[kmg]?$/i, 'expected bytes, or a size such as 10k or 5M'))
  .transform(
    (value) =>
      Number.parseInt(value, 10) *
      unitsOfSize[value.replace(/^\d+/, '').toLowerCase() as keyof typeof unitsOfSize],
  )

/** `position`: records say where photos were taken, too. */
export const exifOptionSchema = z.literal('position', "expected 'position'")
export type ExifOption = z.infer<typeof exifOptionSchema>

const isShare = (value: string): boolean => Number.parseFloat(value) > 0 && Number.parseFloat(value) <= 100

/** In order, without those that begin with another one: what lies below them is listed once. */
const disjoint = (prefixes: string[]): string[] => {
  const ordered = [...new Set(prefixes)].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
  return ordered.filter((prefix) => !ordered.some((other) => other !== prefix && prefix.startsWith(other)))
}

/** File extensions of image formats. */
export const formatExtensions = {
  jpeg: ['jpg', 'jpeg', 'jpe', 'jfif'],
  png: ['png'],
  webp: ['webp'],
  gif: ['gif'],
  avif: ['avif'],
  tiff: ['tif', 'tiff'],
  heic: ['heic', 'heif'],
} as const
type ImageFormat = keyof typeof formatExtensions
const formats = Object.keys(formatExtensions) as ImageFormat[]

const hour = 60 * 60 * 1000
const unitsOfAge: Record<string, number> = { h: hour, d: 24 * hour, w: 7 * 24 * hour }

export const ageSchema = text.pipe(
  z.string().regex(/^[1-9]\d{0,4}[hdw]$/, 'expected an age such as 12h, 30d or 8w'),
)

/** An age such as `12h`, `30d` or `8w`, milliseconds. */
export const ageOf = (text: string): number =>
  Number.parseInt(text, 10) * (unitsOfAge[text.slice(-1)] as number)

/** What one may ask of `start-batch`; a name that is not listed is an error, so that typing mistakes show. */
export const batchRequestSchema = z.strictObject({
  /** Of the keys: one, or several. */
  prefix: z
    .union([text.transform((prefix) => [prefix]), z.array(text).min(1)])
    .transform(disjoint)
    .default(['']),
  bucket: text.optional(),
  /** A list of images, of which only those are meant that the filters select: `s3://bucket/key`. */
  manifest: text.pipe(z.string().regex(/^s3:\/\/[^/]+\/.+$/s, 'expected s3://bucket/key')).optional(),
  model: text.optional(),
  batch: text
    .pipe(batchIdSchema)
    .refine(
      (id) => !id.startsWith('uploads-'),
      'ids that begin with uploads- are kept for the uploads of a day',
    )
    .optional(),
  force: flag.default(false),
  include: text.optional(),
  exclude: text.optional(),
  since: text.pipe(z.coerce.date()).optional(),
  until: text.pipe(z.coerce.date()).optional(),
  /** Instead of `since`: no older than that when the batch is fired. */
  newerThan: ageSchema.optional(),
  /** Keys with the extensions of these formats, in any case: `jpeg,png`. */
  format: text
    .transform((names) => names.toLowerCase().split(',').filter(Boolean))
    .pipe(z.array(z.enum(formats, `expected one or more of ${formats.join(', ')}, with commas in between`)))
    .transform((names) => names.join(','))
    .optional(),
  limit: count.optional(),
  /** Bytes. */
  minSize: size.optional(),
  maxSize: size.optional(),
  /** A share of the images such as `1%`, the same ones each time. */
  sample: text
    .pipe(
      z
        .string()
        .regex(/^\d+(\.\d+)?%$/, 'expected a share such as 1% or 0.5%')
        .refine(isShare, 'expected a share above 0% and up to 100%'),
    )
    .optional(),
  /** Write what is found of each image to its tags. */
  tag: flag.default(false),
  dryRun: flag.default(false),
  /** Stop the fan-out after so many errors: a count, or a share such as `5%` of what has reported. */
  maxErrors: text
    .pipe(z.string().regex(/^\d+%?$/, 'expected a count such as 100, or a share such as 5%'))
    .optional(),
  /** Dispatch nothing if it is likely to cost more, in the currency of the price of a GB-second. */
  maxCost: z.coerce.number().positive().optional(),
  /** End the batch now, keeping what is done; firing it again goes on. */
  cancel: flag.default(false),
  /** Do again what failed for reasons that may have passed. */
  retry: flag.default(false),
  /** Carry on the open batches that have no lease holder; goes alone. */
  reconcile: flag.default(false),
  /** Classify what a feed's notifications missed, by the name of its trigger; goes alone. */
  poll: text.optional(),
  chunkSize: count.max(1000).optional(),
  exif: exifOptionSchema.optional(),
})
export type BatchRequest = z.infer<typeof batchRequestSchema>

const countBy = z.record(z.string(), z.int().nonnegative())

/** A batch in one of these states has its results written and goes on only when it is fired again. */
export const isClosed = (state: BatchSummary['state']): boolean =>
  state === 'complete' || state === 'cancelled' || state === 'stopped'

/** How a batch stands. */
export const summarySchema = z.strictObject({
  schema: z.literal('whisklens.summary/1'),
  batch: z.string(),
  state: z.enum(['planning', 'running', 'complete', 'cancelled', 'stopped']),
  model: z.string().nullable(),
  engine: z.string().nullable(),
  totals: z.strictObject({
    listed: z.int(),
    planned: z.int(),
    skipped: z.int(),
    ok: z.int(),
    error: z.int(),
    pending: z.int(),
  }),
  /** Most probable label of each image, counted; most frequent first. */
  labels: z.array(z.strictObject({ label: z.string(), count: z.int() })),
  errors: countBy,
  /** Where images were to be tagged: how many were, and by code how many were not. */
  tags: z.strictObject({ written: z.int(), errors: countBy }).optional(),
  /** Milliseconds per image. */
  timings: z.strictObject({
    p50: z.strictObject({ download: z.number(), decode: z.number(), infer: z.number() }),
    p95: z.strictObject({ download: z.number(), decode: z.number(), infer: z.number() }),
  }),
  /** Images with an outcome, by the time from the start until the last was done; 0 where nothing is known of it. */
  imagesPerSecond: z.number().nonnegative().default(0),
  /**
   * How many containers of `classify` took part, and what the activations that reported used. Not counted is what no
   * report can tell: activations that died, the start of containers, `start-batch`, and what `aggregate` does after it
   * has written its part. 0 where nothing was measured.
   */
  containers: z.int().nonnegative().default(0),
  gbSeconds: z.number().nonnegative().default(0),
  /** `gbSeconds` at that price, in its currency. */
  cost: z.number().nonnegative().default(0),
  pricePerGbSecond: z.number().nonnegative().default(0),
  /** How often OpenWhisk had no room for more. */
  throttles: z.int().nonnegative().default(0),
  /** False while images of a day are still coming in: a key uploaded twice is counted twice until the day is closed. */
  exact: z.boolean(),
  startedAt: z.string(),
  endedAt: z.string().nullable(),
  /** Why the batch was stopped: the failure, or too many errors. */
  reason: z.string().optional(),
})
export type BatchSummary = z.infer<typeof summarySchema>
