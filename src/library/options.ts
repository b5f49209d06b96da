import * as z from 'zod'
import { querySchema } from '../batch/reports/query'
import { recordLabels } from '../classifier/classify'
import { InvalidInputError } from '../errors'
import { exifOptionSchema } from '../schema'
import type { ClassifyAllOptions, ModelOptions } from './types/classification'
import type { ConnectionOptions } from './types/connection'

/*
 * Schemas of the options that programs pass. Strict: an unknown name is an error, so that typos show.
 */

const text = z.string().min(1).optional()

const connectionShape: Record<keyof ConnectionOptions, typeof text> = {
  apiHost: text,
  auth: text,
  namespace: text,
  dataDir: text,
  s3Endpoint: text,
  s3Region: text,
  s3AccessKeyId: text,
  s3SecretAccessKey: text,
  s3SessionToken: text,
  imagesBucket: text,
  resultsBucket: text,
  ca: text,
}

export const connectionSchema = z.strictObject(connectionShape) satisfies z.ZodType<ConnectionOptions>

export const modelSchema = z.strictObject({ engine: text }) satisfies z.ZodType<ModelOptions>

export const classifySchema = z.strictObject({
  top: z.int().min(1).max(1000).default(recordLabels),
  exif: exifOptionSchema.optional(),
  connection: connectionSchema.optional(),
})

export const classifyAllSchema = classifySchema.extend({
  threads: z.int().min(0).max(256).optional(),
  onSkip: z.custom<ClassifyAllOptions['onSkip']>((value) => typeof value === 'function').optional(),
})

export const filterSchema = querySchema
  .omit({ limit: true })
  .extend({ modelLabels: z.boolean().optional() })
  .strict()

/** @throws InvalidInputError `bad_parameter` */
export function parseOptions<T>(schema: z.ZodType<T>, options: unknown = {}): T {
  const parsed = schema.safeParse(options)
  if (parsed.success) return parsed.data
  const problems = parsed.error.issues.map(({ path, message }) => [...path, message].join(': '))
  throw new InvalidInputError('bad_parameter', `The options are not valid: ${problems.join('; ')}`)
}
