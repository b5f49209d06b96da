import * as z from 'zod'
import { type ImageRef, keySchema } from '../../schema'
import { unquote } from '../multipart'

/** One image that was created or removed. */
export interface ImageEvent extends ImageRef {
  removed: boolean
}

export type Fields = Record<string, unknown>

/** A kind of message that names one image. */
export interface Shape {
  /** As errors name it. */
  name: string
  /** Whether a message is of this kind, be it valid or not. */
  claims(message: Fields): boolean
  /** What happened to the image; undefined for anything else, such as a new tag or a test. */
  change(message: Fields): 'created' | 'removed' | undefined
  image: z.ZodType<ImageRef>
}

/** What every shape has to tell. */
export const required = { bucket: z.string().min(1), key: keySchema }

/** What is good to know: a value that is not what it should be is left out, and drops no image. */
export const known = {
  size: z.coerce.number().int().nonnegative().nullish().catch(undefined),
  etag: z.string().nullish().catch(undefined),
  date: z.string().nullish().catch(undefined),
}

/** An etag that a message tells, as it is compared. */
export const etagOf = (etag: string | null | undefined): string | undefined =>
  unquote(etag ?? undefined) || undefined

/** Tests a field that has to be text. */
export const isText = (value: unknown, pattern: RegExp): boolean =>
  typeof value === 'string' && pattern.test(value)

/** The change that a field states. */
export function changeIn(
  value: unknown,
  created: RegExp,
  removed: RegExp,
): 'created' | 'removed' | undefined {
  if (isText(value, created)) return 'created'
  return isText(value, removed) ? 'removed' : undefined
}
