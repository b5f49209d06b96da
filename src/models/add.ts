import { existsSync, rmSync } from 'node:fs'
import { copyFile, mkdir, readdir, readFile, rename, rm } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { InvalidInputError, messageOf, WhisklensError } from '../errors'
import { idSchema } from '../model-folder/description'
import { isModelFile, userModelsFolder } from '../model-folder/folder'
import { sha256Of } from '../sha256'
import { compileFolder } from './compile'
import { checkDescription, type Description, writeDescription } from './describe'
import { digestIn, readerOf } from './network-files'

export interface AddOptions {
  /** Destination; defaults to the user's models folder. */
  folder?: string
  /** Replace a model of that name. */
  force?: boolean
  /** Expected digest of the network's files, see {@link digestIn}. */
  sha256?: string
  /** Loads and runs the model. @throws what is wrong with it */
  warmUp(folder: string): Promise<void>
}

/**
 * Adds a model atomically: in a temporary folder beside the others until it is compiled and warmed up. Checksums of its
 * files are written to `whisklens.json`.
 * @param write puts the model's files into an empty folder and returns its description
 * @returns the model's folder
 * @throws InvalidInputError when the name exists or the model is not valid; errors of `write`
 */
export async function addModel(
  id: string,
  write: (folder: string) => Promise<Description>,
  { folder = join(userModelsFolder(), id), force = false, sha256, warmUp }: AddOptions,
): Promise<string> {
  if (!idSchema.safeParse(id).success || id === 'default') {
    throw new InvalidInputError('bad_parameter', `Not a name for a model: ${JSON.stringify(id)}`, {
      hint: 'Set one with --id: lowercase letters, digits, dots, hyphens and underscores.',
    })
  }
  if (existsSync(folder) && !force) {
    throw new InvalidInputError('already_exists', `The model "${id}" already exists: ${folder}`, {
      hint: 'Replace it with --force.',
    })
  }
  const fresh = join(dirname(folder), `.${basename(folder)}.${process.pid}`)
  // Ctrl-C ends the process before `finally`.
  const cleanUp = () => rmSync(fresh, { recursive: true, force: true })
  process.once('exit', cleanUp)
  try {
    await makeFolder(fresh)
    const description = checkDescription({ ...(await write(fresh)), id })
    if (sha256 !== undefined) await checkDigest(fresh, sha256)
    await compileFolder(fresh, description)
    await writeDescription(fresh, { ...description, checksums: await checksumsOf(fresh) })
    await warmUp(fresh)
    await replace(folder, fresh)
  } finally {
    process.off('exit', cleanUp)
    cleanUp()
  }
  return folder
}

const makeFolder = (folder: string) =>
  mkdir(folder, { recursive: true }).catch((cause) => {
    throw new WhisklensError('file_unwritable', `Could not create ${folder}: ${messageOf(cause)}`, {
      hint: 'Set WHISKLENS_MODELS to another folder.',
      cause,
    })
  })

/** Replaces a folder with two renames; it is missing only between them. */
async function replace(folder: string, fresh: string): Promise<void> {
  const old = `${fresh}.old`
  if (existsSync(folder)) await rename(folder, old)
  await rename(fresh, folder)
  await rm(old, { recursive: true, force: true })
}

async function checkDigest(folder: string, expected: string): Promise<void> {
  const found = await digestIn(await readdir(folder), readerOf(folder))
  if (found === expected) return
  throw new WhisklensError('wrong_checksum', `The network has the SHA-256 ${found}, expected ${expected}`)
}

async function checksumsOf(folder: string): Promise<Record<string, string>> {
  const names = (await readdir(folder))
    .filter((name) => isModelFile(name) && name !== 'whisklens.json')
    .sort()
  const sums = names.map(async (name) => [name, sha256Of(await readFile(join(folder, name)))] as const)
  return Object.fromEntries(await Promise.all(sums))
}

/** Copies the files of a folder, not its subfolders. */
export async function copyFiles(
  from: string,
  to: string,
  accept: (name: string) => boolean = () => true,
): Promise<void> {
  for (const entry of await readdir(from, { withFileTypes: true })) {
    const { name } = entry
    if (entry.isFile() && !name.startsWith('.') && accept(name))
      await copyFile(join(from, name), join(to, name))
  }
}
