import * as z from 'zod'
import { exifOptionSchema } from './parameters'

/** Which part of a batch's plan: positions `start` to `end`, the latter excluded. */
export const rangeSchema = z.object({
  start: z.int().nonnegative().describe('Position of the first image in the plan.'),
  end: z.int().positive().describe('Position after the last image.'),
})
export type Range = z.infer<typeof rangeSchema>

/** A piece of a batch, as one activation of `classify` does it. */
export const pieceSchema = rangeSchema.extend({
  chunk: rangeSchema
    .extend({ epoch: z.int().describe('Revision of the batch when the chunk was planned.') })
    .describe('The chunk of the plan that holds the piece.'),
  by: z.int().describe('Epoch of the lease holder that dispatched the piece.'),
  exif: exifOptionSchema.optional().describe('As in the request of the batch.'),
  tag: z.boolean().optional().describe('As in the request of the batch.'),
})
