import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import * as z from 'zod'
import { InvalidInputError } from '../errors'
import { classSchema, descriptionSchema, type ModelClass } from '../model-folder/description'

export type Description = z.input<typeof descriptionSchema>

/**
 * @returns what is to stand in `whisklens.json`, as it was given and without defaults
 * @throws InvalidInputError naming the field that is not what it must be
 */
export function checkDescription(description: unknown): Description {
  const parsed = descriptionSchema.safeParse(description)
  if (parsed.success) return description as Description
  throw new InvalidInputError(
    'bad_model',
    `The description of the model is not valid: ${z.prettifyError(parsed.error)}`,
  )
}

export const writeDescription = (folder: string, description: Description): Promise<void> =>
  writeFile(join(folder, 'whisklens.json'), `${JSON.stringify(description, null, 2)}\n`)

/** Networks take pixels in one range or another: what makes it of 0–255. */
export const scaleOf = ([least, most]: readonly [number, number]): { mean: number; std: number } => {
  const std = 255 / (most - least)
  return { mean: least === 0 ? 0 : -least * std, std }
}

const listSchema = z.array(z.union([z.string().min(1), classSchema])).min(1)

/**
 * The classes that a user's file names, in the network's order: JSON, as an array of names or of what `labels.json` holds,
 * or text with a name a line.
 * @param name of the file, for errors
 * @throws InvalidInputError when it is neither
 */
export function parseClasses(text: string, name: string): ModelClass[] {
  const isJson = /^\s*\[/.test(text)
  const lines = text.split(/\r?\n/).map((line) => line.trim())
  let list: unknown = lines.filter((line) => line !== '')
  try {
    if (isJson) list = JSON.parse(text)
  } catch (cause) {
    throw new InvalidInputError('bad_model', `${name} is not JSON`, { cause })
  }
  const parsed = listSchema.safeParse(list)
  if (!parsed.success) {
    throw new InvalidInputError('bad_model', `${name} names no classes: ${z.prettifyError(parsed.error)}`, {
      hint: 'Expected a name per line, or a JSON array of names or {"className": …}.',
    })
  }
  return parsed.data.map((one) => (typeof one === 'string' ? { className: one } : one))
}
