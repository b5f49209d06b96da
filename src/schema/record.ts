import * as z from 'zod'

export const labelSchema = z.strictObject({
  label: z.string().describe('The first name of the class.'),
  className: z.string().describe('All names of the class, separated by commas.'),
  wordnetId: z.string().describe('Synset of WordNet such as `n02123045`; empty where the model has none.'),
  index: z.int().nonnegative().describe('Position of the class in the model.'),
  probability: z.number().min(0).max(1).describe('0 to 1.'),
})

const probability = z.number().min(0).max(1).describe('0 to 1.')

/** One thing in an image, and where it is. */
export const detectionSchema = z.strictObject({
  label: z.string().describe('Name of the object.'),
  probability,
  box: z
    .tuple([probability, probability, probability, probability])
    .describe('Top, left, bottom, right, as shares of the height and width of the upright image.'),
  emotions: z
    .array(z.strictObject({ label: z.string().describe('Name of the emotion.'), probability }))
    .optional()
    .describe('Emotions of a face, most probable first.'),
  age: z.number().nonnegative().optional().describe('Estimated age of a face, years.'),
})
export type Detection = z.infer<typeof detectionSchema>

/** What a camera wrote into a photo. */
export const exifSchema = z.strictObject({
  takenAt: z
    .string()
    .regex(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d([+-]\d\d:\d\d)?$/)
    .optional()
    .describe(
      "Time of the photo by the camera's clock, ISO 8601; with an offset from UTC where the file has one.",
    ),
  camera: z.string().optional().describe('Make and model of the camera.'),
  position: z
    .strictObject({
      latitude: z.number().min(-90).max(90).describe('Degrees north.'),
      longitude: z.number().min(-180).max(180).describe('Degrees east.'),
    })
    .optional()
    .describe('Where the photo was taken. Only in batches with `exif: position`.'),
})
export type Exif = z.infer<typeof exifSchema>

/** A small picture of an image, upright, in the results bucket. */
export const thumbnailSchema = z.strictObject({
  key: z.string().describe('Key in the results bucket.'),
  width: z.int().positive().describe('Pixels.'),
  height: z.int().positive().describe('Pixels.'),
  bytes: z.int().positive().describe('Size of the file.'),
})
export type Thumbnail = z.infer<typeof thumbnailSchema>

/** What is known of one image, success or failure. */
export const recordSchema = z.strictObject({
  schema: z.literal('whisklens.record/1').describe('Name and version of this format.'),
  bucket: z.string().describe('Bucket of the image.'),
  key: z.string().describe('Key of the image.'),
  etag: z
    .string()
    .nullable()
    .describe('ETag of the version that was classified; `null` where the image could not be read.'),
  size: z.int().nonnegative().nullable().describe('Bytes of the object.'),
  lastModified: z.string().nullable().describe('Last change of the object, ISO 8601.'),
  model: z.string().describe('Version of the model: its name, `@`, and 8 hexadecimal digits of its content.'),
  engine: z.string().describe('Engine that ran the model.'),
  status: z.enum(['ok', 'error']).describe('Whether the image was classified.'),
  labels: z.array(labelSchema).describe('Up to five labels, most probable first; empty for an error.'),
  detections: z
    .array(detectionSchema)
    .optional()
    .describe('Objects or faces in the image, by models that detect them.'),
  width: z.int().positive().nullable().describe('Pixels of the upright image.'),
  height: z.int().positive().nullable().describe('Pixels of the upright image.'),
  format: z.string().nullable().describe('Format of the file, by its content.'),
  exif: exifSchema.optional().describe('What the camera wrote into the file.'),
  thumbnail: thumbnailSchema
    .optional()
    .describe('Thumbnail in the results bucket, where `WHISKLENS_THUMBNAILS` is `true`.'),
  error: z
    .strictObject({
      code: z.string().describe('Code of the [error](errors.md#images).'),
      message: z.string().describe('Message for people.'),
      retryable: z.boolean().describe('Whether another attempt may succeed.'),
      attempts: z.int().positive().describe('Attempts so far.'),
    })
    .optional()
    .describe('Why the image could not be classified.'),
  tagging: z
    .strictObject({
      status: z.enum(['ok', 'error']).describe('Whether the tags were written.'),
      code: z.string().optional().describe('Code of the [error](errors.md).'),
      message: z.string().optional().describe('Message for people.'),
    })
    .optional()
    .describe('Outcome of `tag`.'),
  timings: z
    .strictObject({
      download: z.number().describe('Milliseconds.'),
      decode: z.number().describe('Milliseconds.'),
      infer: z.number().describe('Milliseconds.'),
    })
    .describe('How long each step took.'),
  activationId: z.string().describe('Activation of `classify` that made the record.'),
  at: z
    .string()
    .describe('When the download began, ISO 8601: the record describes the object at that moment.'),
})
export type ImageRecord = z.infer<typeof recordSchema>
