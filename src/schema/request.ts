import * as z from 'zod'
import { imageFormats } from '../image-formats'
import { ageSchema, batchIdSchema, count, exifOptionSchema, flag, size, text } from './parameters'

const isShare = (value: string): boolean => Number.parseFloat(value) > 0 && Number.parseFloat(value) <= 100

/** In order, without those that begin with another one: what lies below them is listed once. */
const disjoint = (prefixes: string[]): string[] => {
  const ordered = [...new Set(prefixes)].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
  return ordered.filter((prefix) => !ordered.some((other) => other !== prefix && prefix.startsWith(other)))
}

/** What one may ask of `start-batch`; a name that is not listed is an error, so that typing mistakes show. */
export const batchRequestSchema = z.strictObject({
  prefix: z
    .union([text.transform((prefix) => [prefix]), z.array(text).min(1)])
    .transform(disjoint)
    .default([''])
    .describe('Only keys that begin with it; several as a JSON array. All keys unless given.')
    .meta({ typeName: 'text or list of text', defaultText: '`""`' }),
  bucket: text.optional().describe('Bucket of the images. `WHISKLENS_IMAGES_BUCKET` unless given.'),
  manifest: text
    .pipe(z.string().regex(/^s3:\/\/[^/]+\/.+$/s, 'expected s3://bucket/key'))
    .optional()
    .describe('Only images of a list of keys, `s3://bucket/key`; the filters apply to it as well.'),
  model: text.optional().describe('Name of the model. `WHISKLENS_MODEL` unless given.'),
  batch: text
    .pipe(batchIdSchema)
    .refine(
      (id) => !id.startsWith('uploads-'),
      'ids that begin with uploads- are kept for the uploads of a day',
    )
    .optional()
    .describe(
      'Id of the batch: 1 to 64 of `a-z`, `0-9`, `.`, `_` and `-`. `yyyymmdd-hhmmss-` and six digits of the activation id unless given.',
    ),
  force: flag.default(false).describe('Classify images again whose record is still valid.'),
  include: text
    .optional()
    .describe('Only keys that match this glob; without a slash, it is matched against the last segment.'),
  exclude: text.optional().describe('No keys that match this glob.'),
  since: text
    .pipe(z.coerce.date())
    .optional()
    .describe('Only images changed at that time or later, ISO 8601.')
    .meta({ typeName: 'date' }),
  until: text
    .pipe(z.coerce.date())
    .optional()
    .describe('Only images changed until then, ISO 8601.')
    .meta({ typeName: 'date' }),
  newerThan: ageSchema
    .optional()
    .describe('Only images changed within that time before the fire: `12h`, `7d`, `8w`. Excludes `since`.'),
  format: text
    .transform((names) => names.toLowerCase().split(',').filter(Boolean))
    .pipe(
      z.array(
        z.enum(imageFormats, `expected one or more of ${imageFormats.join(', ')}, with commas in between`),
      ),
    )
    .transform((names) => names.join(','))
    .optional()
    .describe(
      `Only keys with extensions of these formats, such as \`jpeg,png\`: ${imageFormats.join(', ')}.`,
    ),
  limit: count.optional().describe('At most so many images.'),
  minSize: size.optional().describe('Only images of at least this size.'),
  maxSize: size.optional().describe('Only images of at most this size.'),
  sample: text
    .pipe(
      z
        .string()
        .regex(/^\d+(\.\d+)?%$/, 'expected a share such as 1% or 0.5%')
        .refine(isShare, 'expected a share above 0% and up to 100%'),
    )
    .optional()
    .describe('Only a share of the images such as `1%`, the same ones each time.'),
  tag: flag
    .default(false)
    .describe('Write the top label, its probability and the model to the tags of each image.'),
  dryRun: flag.default(false).describe('Only count the images and estimate the cost.'),
  maxErrors: text
    .pipe(z.string().regex(/^\d+%?$/, 'expected a count such as 100, or a share such as 5%'))
    .optional()
    .describe('Stop after so many errors: a count, or a share of the images with an outcome such as `5%`.'),
  maxCost: z.coerce
    .number()
    .positive()
    .optional()
    .describe('Refuse the batch if the estimate is higher, in the currency of `WHISKLENS_GB_SECOND_PRICE`.'),
  cancel: flag
    .default(false)
    .describe('End the batch of this id and keep what is done. Firing it again continues it.'),
  retry: flag
    .default(false)
    .describe(
      'Classify again what failed for a reason that may have passed, and continue a cancelled or stopped batch.',
    ),
  reconcile: flag
    .default(false)
    .describe(
      'Resume all open batches without a lease holder, and poll all watched buckets. Excludes all others.',
    ),
  poll: text
    .optional()
    .describe(
      'Name of a trigger with the feed `bucket-feed`: compare its bucket with the records. Excludes all others.',
    ),
  chunkSize: count
    .max(1000)
    .optional()
    .describe('Images per activation of `classify`, up to 1000. Chosen by the batch unless given.'),
  exif: exifOptionSchema.optional().describe('`position` adds where photos were taken to their records.'),
})
export type BatchRequest = z.infer<typeof batchRequestSchema>
