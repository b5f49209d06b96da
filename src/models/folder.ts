import { createHash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { InvalidInputError, messageOf } from '../errors'
import { homeFolder } from '../paths'

/** One class a model can name. */
export const classSchema = z.strictObject({
  /** WordNet id of the ImageNet class, such as `n02123045`. */
  wordnetId: z.string().regex(/^n\d{8}$/),
  /** All synonyms, comma separated. */
  className: z.string().min(1),
})
export type ModelClass = z.infer<typeof classSchema>

/** `whisklens.json`, the description beside a model's `model.json`. */
export const descriptionSchema = z.strictObject({
  schema: z.literal('whisklens.model/1'),
  id: z.string().regex(/^[a-z0-9][a-z0-9._-]{0,63}$/),
  task: z.literal('classification'),
  format: z.literal('graph-model'),
  input: z
    .strictObject({
      /** Side of the square the network sees, pixels. */
      size: z.int().positive(),
      /** The image's shorter side is brought to this many pixels before the centre is cut out. */
      resizeShortSide: z.int().positive(),
      kernel: z.enum(['cubic', 'lanczos3', 'mitchell', 'linear']),
      /** A channel value of 0–255 becomes (value − mean) / std. */
      mean: z.number(),
      std: z.number().positive(),
    })
    .refine(
      ({ size, resizeShortSide }) => size <= resizeShortSide,
      'expected size to be at most resizeShortSide',
    ),
  labels: z.string(),
  license: z.string(),
  description: z.string(),
  source: z.string(),
})
export type ModelDescription = z.infer<typeof descriptionSchema>

/** A model folder, read whole. */
export interface ModelFolder {
  /** `<id>@<8 hex of the sha256 over its files>`: changes whenever anything that shapes a result changes. */
  version: string
  description: ModelDescription
  classes: ModelClass[]
  files: ReadonlyMap<string, Buffer>
}

/** The folder of a model given by name (in `models/` of the home folder) or by path. */
export const modelFolderPath = (model: string): string =>
  model.includes('/') ? model : join(homeFolder(), 'models', model)

/**
 * One JSON file of a model folder.
 * @throws InvalidInputError naming the file when it is missing or does not hold what it must
 */
export function parseJson<T>(
  schema: z.ZodType<T>,
  files: ModelFolder['files'],
  name: string,
  folder: string,
): T {
  const file = files.get(name)
  if (!file) throw new InvalidInputError(`Expected a file ${name} in the model folder ${folder}`)
  let json: unknown
  try {
    json = JSON.parse(file.toString('utf8'))
  } catch (cause) {
    throw new InvalidInputError(`${join(folder, name)} is not JSON: ${messageOf(cause)}`, { cause })
  }
  const parsed = schema.safeParse(json)
  if (parsed.success) return parsed.data
  throw new InvalidInputError(`${join(folder, name)} is not valid: ${z.prettifyError(parsed.error)}`)
}

/**
 * Reads a model folder.
 * @throws InvalidInputError when the folder or one of its files is missing or does not hold what it must
 */
export async function readModelFolder(model: string): Promise<ModelFolder> {
  const folder = modelFolderPath(model)
  const names = await readdir(folder).catch((cause) => {
    throw new InvalidInputError(`There is no model "${model}": ${folder} cannot be read`, {
      cause,
      hint: 'Set WHISKLENS_MODEL to the name of a folder in models/, or to the path of a model folder.',
    })
  })
  const relevant = names.filter((name) => /\.(json|bin)$|^group\d+-shard/.test(name)).sort()
  const files = new Map<string, Buffer>()
  const hash = createHash('sha256')
  for (const name of relevant) {
    const content = await readFile(join(folder, name))
    files.set(name, content)
    hash.update(`${name}\0${content.length}\0`).update(content)
  }
  const description = parseJson(descriptionSchema, files, 'whisklens.json', folder)
  return {
    version: `${description.id}@${hash.digest('hex').slice(0, 8)}`,
    description,
    classes: parseJson(z.array(classSchema).min(1), files, description.labels, folder),
    files,
  }
}
