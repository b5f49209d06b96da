import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import { join, resolve, sep } from 'node:path'
import * as z from 'zod'
import { InvalidInputError, messageOf } from '../errors'
import { dataFolder, homeFolder } from '../paths'
import { sha256Of } from '../sha256'
import { classSchema, descriptionSchema, type ModelClass, type ModelDescription } from './description'

/** A model folder, with all files or those that one engine needs. */
export interface ModelFolder<Description = ModelDescription> {
  /** `<id>@<8 hex of the sha256 over its files>`: changes with anything that affects results. */
  version: string
  description: Description
  /** Empty for an embedding. */
  classes: ModelClass[]
  /** All files that affect results. */
  names: ReadonlySet<string>
  /** The files that were read. */
  files: ReadonlyMap<string, Buffer>
}

/** Files by name. */
export type Files = ReadonlyMap<string, Uint8Array>

/** The folder of models that the user added, each in a folder with its name. */
export const userModelsFolder = (): string =>
  resolve(process.env.WHISKLENS_MODELS || join(dataFolder(), 'models'))

/** The folder of bundled models. */
export const boxModelsFolder = (): string => join(homeFolder(), 'models')

/** Resolves a path or name to a model's folder. Added models take precedence over bundled ones. */
export function modelFolderPath(model: string): string {
  if (model.includes('/') || model.includes(sep)) return model
  const added = join(userModelsFolder(), model)
  return existsSync(added) ? added : join(boxModelsFolder(), model)
}

/** Whether a file affects results, unlike notices and pictures. */
export const isModelFile = (name: string): boolean => /\.(json|bin|onnx|pb)$|^group\d+-shard/.test(name)

/**
 * Parses a JSON file of a model folder.
 * @throws InvalidInputError naming the file when it is missing or not valid
 */
export function parseJson<T>(schema: z.ZodType<T>, files: Files, name: string, folder: string): T {
  const file = files.get(name)
  if (!file) throw new InvalidInputError('bad_model', `Expected a file ${name} in the model folder ${folder}`)
  let json: unknown
  try {
    json = JSON.parse(new TextDecoder().decode(file))
  } catch (cause) {
    throw new InvalidInputError('bad_model', `${join(folder, name)} is not JSON: ${messageOf(cause)}`, {
      cause,
    })
  }
  const parsed = schema.safeParse(json)
  if (parsed.success) return parsed.data
  throw new InvalidInputError(
    'bad_model',
    `${join(folder, name)} is not valid: ${z.prettifyError(parsed.error)}`,
  )
}

const read = (path: string): Promise<Buffer> =>
  readFile(path).catch((cause) => {
    throw new InvalidInputError('bad_model', `${path} cannot be read: ${messageOf(cause)}`, { cause })
  })

/** Lists the files that affect results, sorted. @throws InvalidInputError when there is no such folder */
async function namesIn(folder: string, model: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch((cause) => {
    throw new InvalidInputError('model_not_found', `There is no model "${model}": ${folder} cannot be read`, {
      cause,
      hint: 'Set WHISKLENS_MODEL or --model to a name or the path of a folder. whisklens model list shows installed models and those that can be added.',
    })
  })
  // Skip folders and pipes; a link may point to a file.
  const names = entries.filter((entry) => entry.isFile() || entry.isSymbolicLink()).map(({ name }) => name)
  return names.filter(isModelFile).sort()
}

async function readFiles(folder: string, names: string[]): Promise<Map<string, Buffer>> {
  const files = new Map<string, Buffer>()
  for (const name of names) files.set(name, await read(join(folder, name)))
  return files
}

/**
 * Reads the files of a model folder that affect results, sorted by name.
 * @throws InvalidInputError when there is no such folder, or a file cannot be read
 */
export async function readModelFiles(model: string): Promise<Map<string, Buffer>> {
  const folder = modelFolderPath(model)
  return readFiles(folder, await namesIn(folder, model))
}

/**
 * Reads the description of a model and the names of its files.
 * @throws InvalidInputError when there is no such folder, or `whisklens.json` is missing or not valid
 */
export async function readModelHead(model: string): Promise<Pick<ModelFolder, 'names' | 'description'>> {
  const folder = modelFolderPath(model)
  const names = await namesIn(folder, model)
  const head = await readFiles(
    folder,
    names.filter((name) => name === 'whisklens.json'),
  )
  const description = parseJson(descriptionSchema, head, 'whisklens.json', folder)
  return { names: new Set(names), description }
}

/**
 * Reads a model folder.
 * @param isWanted selects files, by default all. Unselected ones are skipped if `whisklens.json` has their checksum
 * @throws InvalidInputError when the folder or a file is missing or not valid
 */
export async function readModelFolder(
  model: string,
  isWanted: (name: string) => boolean = () => true,
): Promise<ModelFolder> {
  const folder = modelFolderPath(model)
  const { names, description } = await readModelHead(model)
  const { checksums = {}, labels } = { labels: undefined, ...description }
  const isRead = (name: string) => name === labels || isWanted(name) || !Object.hasOwn(checksums, name)
  const files = await readFiles(folder, [...names].filter(isRead))
  const sums = checkedSums([...names], files, checksums, folder)
  const hash = createHash('sha256')
  for (const [name, sum] of sums) hash.update(`${name}\0${sum}\0`)
  return {
    version: `${description.id}@${hash.digest('hex').slice(0, 8)}`,
    description,
    classes: readClasses(files, description, folder),
    names,
    files,
  }
}

/** Reads the classes of a model; empty for an embedding. @throws InvalidInputError see {@link parseJson} */
export const readClasses = (files: Files, description: ModelDescription, folder: string): ModelClass[] =>
  description.task === 'embedding'
    ? []
    : parseJson(z.array(classSchema).min(1), files, description.labels, folder)

/**
 * The checksums of a folder's files, by name.
 * @param files that were read
 * @param listed checksums in `whisklens.json`
 * @throws InvalidInputError naming the first file that is missing or does not match
 */
export function checkedSums(
  names: readonly string[],
  files: ReadonlyMap<string, Buffer>,
  listed: Record<string, string>,
  folder: string,
): Map<string, string> {
  const missing = Object.keys(listed).find((name) => !names.includes(name))
  if (missing !== undefined)
    throw new InvalidInputError('bad_model', `Expected a file ${missing} in the model folder ${folder}`)
  return new Map(names.map((name) => [name, checkedSum(files.get(name), listed[name], join(folder, name))]))
}

function checkedSum(file: Buffer | undefined, listed: string | undefined, path: string): string {
  const found = file ? sha256Of(file) : (listed ?? '')
  if (listed === undefined || found === listed) return found
  throw new InvalidInputError(
    'wrong_checksum',
    `${path} has the wrong checksum: its sha256 is ${found}, expected ${listed}`,
    {
      hint: 'Add the model again; if you changed the file on purpose, change its checksum in whisklens.json.',
    },
  )
}
