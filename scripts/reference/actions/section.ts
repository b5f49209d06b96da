import type * as z from 'zod'
import { imageRefSchema, recordSchema } from '../../../src/schema'
import type { Links } from '../fields'
import { block, json } from '../markdown'

/** The section of an action. */
export interface Section {
  kind: string
  purpose: string
  text: string[]
}

const value = (given: unknown): string =>
  typeof given === 'string' ? given : typeof given === 'object' ? `'${JSON.stringify(given)}'` : String(given)

/** A `wsk` command with parameters. @throws ZodError if the parameters do not match the schema */
export function wsk<T extends object>(
  call: string,
  schema: z.ZodType<T>,
  params: z.input<z.ZodType<T>>,
): string {
  schema.parse(params)
  const given = Object.entries(params as object).map(([name, one]) => ` --param ${name} ${value(one)}`)
  return call + given.join('')
}

export const invoke = (action: string): string => `wsk action invoke whisklens/${action} --result`

export const answer = (given: object): string => block('json', json(given))

/** Image of the examples. */
export const oneImage = { bucket: 'images', key: 'photos/cat.jpg' }

export const links: Links = new Map()
  .set(recordSchema, '[records](records.md#record)')
  .set(imageRefSchema, '[images](#images-of-the-object-store)')
