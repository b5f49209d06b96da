import { InvalidArgumentError } from 'commander'
import type * as z from 'zod'
import { ageOf, ageSchema } from '../../schema'

/** @returns a parser for an option that takes a whole number */
export const wholeNumber = (least: number, most: number) => (text: string) => {
  const value = Number(text)
  if (/^\d+$/.test(text) && value >= least && value <= most) return value
  throw new InvalidArgumentError(`Expected a whole number from ${least} to ${most}.`)
}

/**
 * @param expected what is said of a value that is refused, where the schema's own words say too little
 * @returns a parser for an option whose value has to satisfy a schema
 */
export const matching =
  <T>(schema: z.ZodType<T>, expected?: string) =>
  (text: string): T => {
    const parsed = schema.safeParse(text)
    if (parsed.success) return parsed.data
    const [{ message = '' } = {}] = parsed.error.issues
    throw new InvalidArgumentError(expected ?? `${message.charAt(0).toUpperCase()}${message.slice(1)}.`)
  }

/** Parses an option that takes an age: so many hours, days or weeks. @returns milliseconds */
export const age = (text: string): number =>
  ageOf(matching(ageSchema, 'Expected an age such as 12h, 30d or 8w.')(text))
