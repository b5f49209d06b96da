import * as z from 'zod'
import { batchIdSchema, imageRefSchema, pieceSchema } from '../../schema'

/*
 * The messages that `classify` takes, notifications of buckets apart.
 */

/** Goes with any of them. */
export const modelSchema = z
  .string()
  .optional()
  .describe('Name of the model. `WHISKLENS_MODEL` unless given.')

/** One image in the message itself. */
export const inlineSchema = z.object({
  image: z.string().min(1).describe('An image in base64; a data URL is accepted as well.'),
})

/** Images of the object store. */
export const listSchema = z.object({
  images: z.array(imageRefSchema).describe('Images of the object store.'),
})

/** A piece of a batch. */
export const chunkSchema = pieceSchema.extend({ batch: batchIdSchema.describe('Id of the batch.') })
export type ChunkMessage = z.infer<typeof chunkSchema>

/** Asks for the model, the engine and the decoder. */
export const describeSchema = z.object({
  describe: z.literal(true).describe('`true` to ask for the model, the engine and the decoder.'),
})
