import * as z from 'zod'
import type { ImageRecord } from '../../schema'

/** Where a record ends in a file, as long as that is not written anew. */
export interface FilePosition {
  etag: string
  /** The byte behind it. */
  end: number
}

/** Where a page ended. Uploads of one day can come from several buckets: a key alone says too little. */
export interface Position extends Pick<ImageRecord, 'key' | 'bucket'> {
  /** Where the record was read from a file: the next page need not read all that lies before. */
  file?: FilePosition
}

/** A position as text that can stand in a URL; nobody but {@link cursorSchema} is to look inside. */
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
