import { InvalidArgumentError } from 'commander'
import type * as z from 'zod'
import { ageOf, ageSchema } from '../../schema'

/** Parser for an integer option. */
export const wholeNumber = (min: number, max: number) => (text: string) => {
  const value = Number(text)
  if (/^\d+$/.test(text) && value >= min && value <= max) return value
  throw new InvalidArgumentError(`Expected a whole number from ${min} to ${max}.`)
}

/**
 * Parser for an option validated by a schema.
 * @param expected message for an invalid value, if the schema's own is not clear enough
 */
export const matching =
  <T>(schema: z.ZodType<T>, expected?: string) =>
  (text: string): T => {
    const parsed = schema.safeParse(text)
    if (parsed.success) return parsed.data
    const [{ message = '' } = {}] = parsed.error.issues
    throw new InvalidArgumentError(expected ?? `${message.charAt(0).toUpperCase()}${message.slice(1)}.`)
  }

/** Parser for an age in hours, days or weeks. @returns milliseconds */
export const age = (text: string): number =>
  ageOf(matching(ageSchema, 'Expected an age such as 12h, 30d or 8w.')(text))
