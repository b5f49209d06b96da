import * as z from 'zod'

/** Half a surrogate pair has no bytes in UTF-8: no object can have it in its key. */
export const keySchema = z
  .string()
  .min(1)
  .refine((key) => !/\p{Surrogate}/u.test(key), 'expected Unicode')

/** One image in a bucket; what is known of its version beyond the name, where the sender told it. */
export const imageRefSchema = z.object({
  bucket: z.string().min(1).describe('Bucket of the image.'),
  key: keySchema.describe('Key of the image.'),
  etag: z.string().optional().describe('ETag of the version, where the sender told it.'),
  size: z.int().nonnegative().optional().describe('Bytes, where the sender told it.'),
  lastModified: z.string().optional().describe('ISO 8601, where the sender told it.'),
})
export type ImageRef = z.infer<typeof imageRefSchema>
