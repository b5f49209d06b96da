import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import * as z from 'zod'
import { InvalidInputError } from '../errors'
import { classSchema, descriptionSchema, type ModelClass } from '../model-folder/description'

export type Description = z.input<typeof descriptionSchema>

/**
 * Validates a description.
 * @returns the description as given, without defaults
 * @throws InvalidInputError naming the invalid field
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

/** The mean and std that scale 0–255 to a range. */
export const scaleOf = ([min, max]: readonly [number, number]): { mean: number; std: number } => {
  const std = 255 / (max - min)
  return { mean: min === 0 ? 0 : -min * std, std }
}

const listSchema = z.array(z.union([z.string().min(1), classSchema])).min(1)

/**
 * Parses a file of class names, in the order of the network's outputs: a JSON array of names or of entries as in
 * `labels.json`, or text with one name per line.
 * @param name of the file, for errors
 * @throws InvalidInputError for anything else
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
    throw new InvalidInputError(
      'bad_model',
      `${name} is not a list of classes: ${z.prettifyError(parsed.error)}`,
      {
        hint: 'Expected a name per line, or a JSON array of names or {"className": …}.',
      },
    )
  }
  return parsed.data.map((one) => (typeof one === 'string' ? { className: one } : one))
}
