import * as z from 'zod'
import { type ImageRef, keySchema } from '../../schema'
import { unquote } from '../multipart'

export interface ImageEvent extends ImageRef {
  removed: boolean
}

export type Fields = Record<string, unknown>

/** A kind of message about one image. */
export interface Shape {
  /** Its name in errors. */
  name: string
  /** Whether a message is of this kind, valid or not. */
  matches(message: Fields): boolean
  /** What happened to the image; undefined for other events, such as a tag change or a test. */
  change(message: Fields): 'created' | 'removed' | undefined
  image: z.ZodType<ImageRef>
}

/** Required fields of every shape. */
export const required = { bucket: z.string().min(1), key: keySchema }

/** Optional fields: an invalid value is dropped, not the image. */
export const optional = {
  size: z.coerce.number().int().nonnegative().nullish().catch(undefined),
  etag: z.string().nullish().catch(undefined),
  date: z.string().nullish().catch(undefined),
}

/** Normalizes an etag for comparison. */
export const normalizeEtag = (etag: string | null | undefined): string | undefined =>
  unquote(etag ?? undefined) || undefined

/** Whether a field is text that matches. */
export const isText = (value: unknown, pattern: RegExp): boolean =>
  typeof value === 'string' && pattern.test(value)

/** The change that a field names. */
export function changeIn(
  value: unknown,
  created: RegExp,
  removed: RegExp,
): 'created' | 'removed' | undefined {
  if (isText(value, created)) return 'created'
  return isText(value, removed) ? 'removed' : undefined
}
