import { z } from 'zod'
import type { ImageRecord } from '../../schema'
import { compareKeys } from '../keys'

/** Where a page ended. Uploads of one day can come from several buckets: a key alone says too little. */
export type Position = Pick<ImageRecord, 'key' | 'bucket'>

/** The order in which a batch's records are read: by key, as stores list, and by bucket where keys are equal. */
export const comparePositions = (a: Position, b: Position): number =>
  compareKeys(a.key, b.key) || compareKeys(a.bucket, b.bucket)

/** A position as text that can stand in a URL; nobody but {@link cursorSchema} is to look inside. */
export const toCursor = ({ key, bucket }: Position): string =>
  Buffer.from(JSON.stringify([key, bucket])).toString('base64url')

const positionSchema = z.tuple([z.string(), z.string()])

export const cursorSchema = z.string().transform((text, context): Position => {
  try {
    const [key, bucket] = positionSchema.parse(JSON.parse(Buffer.from(text, 'base64url').toString('utf8')))
    return { key, bucket }
  } catch {
    context.addIssue('expected the "next" of an earlier answer')
    return z.NEVER
  }
})
