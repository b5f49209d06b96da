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
    .pipe(
      z.array(
        z.enum(imageFormats, `expected one or more of ${imageFormats.join(', ')}, with commas in between`),
      ),
    )
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
