import { existsSync } from 'node:fs'
import { lstat, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { InvalidInputError, messageOf, WhisklensError } from '../errors'
import { boxModelsFolder, userModelsFolder } from '../model-folder/folder'
import { modelNames } from './installed'

/**
 * Removes a model that the user added. For a link, its target stays.
 * @returns the folder it was in
 * @throws InvalidInputError `model_not_found` when the user added no such model
 * @throws WhisklensError `file_unwritable` when it cannot be removed
 */
export async function removeModel(name: string): Promise<string> {
  const found = (await modelNames()).find((model) => model.name === name)
  if (found?.origin !== 'added') throw notRemovable(name, found !== undefined)
  const { folder } = found
  // Rename first, so that the model disappears at once rather than file by file.
  const old = join(userModelsFolder(), `.${name}.${process.pid}.old`)
  try {
    if ((await lstat(folder)).isSymbolicLink()) await rm(folder)
    else {
      await rename(folder, old)
      await rm(old, { recursive: true })
    }
  } catch (cause) {
    throw new WhisklensError('file_unwritable', `Could not remove ${folder}: ${messageOf(cause)}`, { cause })
  }
  return folder
}

/** Whether a bundled model has that name. */
export const isInBox = (name: string): boolean => existsSync(join(boxModelsFolder(), name))

function notRemovable(name: string, isBox: boolean): WhisklensError {
  const why = isBox
    ? `The model "${name}" is part of Whisklens and cannot be removed`
    : `There is no added model "${name}"`
  return new InvalidInputError('model_not_found', why, {
    hint: 'whisklens model list shows the added models.',
  })
}
