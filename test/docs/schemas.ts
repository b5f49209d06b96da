import type { ZodType } from 'zod'
import { rulesSchema } from '../../src/labels/rules'
import { descriptionSchema } from '../../src/model-folder/description'
import {
  batchRequestSchema,
  detectionSchema,
  exifSchema,
  imageRefSchema,
  labelSchema,
  recordSchema,
  summarySchema,
  thumbnailSchema,
} from '../../src/schema'

/** Schemas by their name in `<!-- check: name -->`. */
export const schemas: Record<string, ZodType> = {
  record: recordSchema,
  summary: summarySchema,
  request: batchRequestSchema,
  image: imageRefSchema,
  label: labelSchema,
  detection: detectionSchema,
  exif: exifSchema,
  thumbnail: thumbnailSchema,
  model: descriptionSchema,
  labels: rulesSchema,
}
