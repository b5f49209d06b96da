import * as z from 'zod'

/** Half a surrogate pair has no bytes in UTF-8: no object can have it in its key. */
export const keySchema = z
  .string()
  .min(1)
  .refine((key) => !/\p{Surrogate}/u.test(key), 'expected Unicode')

/** One image in a bucket; what is known of its version beyond the name, where the sender told it. */
export const imageRefSchema = z.object({
  bucket: z.string().min(1),
  key: keySchema,
  etag: z.string().optional(),
  size: z.int().nonnegative().optional(),
  /** ISO 8601. */
  lastModified: z.string().optional(),
})
export type ImageRef = z.infer<typeof imageRefSchema>
