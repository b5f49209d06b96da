import * as z from 'zod'
import type { Position } from '../../batch/reports/results'

/** Encodes a position as an opaque URL-safe text, see {@link cursorSchema}. */
export const toCursor = ({ key, bucket, file }: Position): string =>
  Buffer.from(JSON.stringify([key, bucket, ...(file ? [file.etag, file.end] : [])])).toString('base64url')

const positionSchema = z.union([
  z.tuple([z.string(), z.string()]).transform(([key, bucket]): Position => ({ key, bucket })),
  z
    .tuple([z.string(), z.string(), z.string(), z.int().nonnegative()])
    .transform(([key, bucket, etag, end]): Position => ({ key, bucket, file: { etag, end } })),
])

export const cursorSchema = z.string().transform((text, context): Position => {
  try {
    return positionSchema.parse(JSON.parse(Buffer.from(text, 'base64url').toString('utf8')))
  } catch {
    context.addIssue('expected the "next" of an earlier answer')
    return z.NEVER
  }
})
