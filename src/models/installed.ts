import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { messageOf } from '../errors'
import { boxModelsFolder, type ModelFolder, readModelFolder, userModelsFolder } from '../model-folder/folder'

/** A model that can be named. */
export interface InstalledModel {
  name: string
  folder: string
  /** Bundled, or added by the user. */
  origin: 'box' | 'added'
  read?: ModelFolder
  /** Why it cannot be read. */
  problem?: string
}

/** Lists the models that can be named, sorted. An added model hides a bundled one of the same name. */
export async function modelNames(): Promise<Pick<InstalledModel, 'name' | 'folder' | 'origin'>[]> {
  const found = new Map<string, InstalledModel>()
  for (const [origin, parent] of [
    ['box', boxModelsFolder()],
    ['added', userModelsFolder()],
  ] as const) {
    const entries = await readdir(parent, { withFileTypes: true }).catch(() => [])
    for (const entry of entries) {
      // Names of models being added or removed start with a dot.
      if (entry.name.startsWith('.') || !(entry.isDirectory() || entry.isSymbolicLink())) continue
      found.set(entry.name, { name: entry.name, folder: join(parent, entry.name), origin })
    }
  }
  return [...found.values()].sort((a, b) => (a.name < b.name ? -1 : 1))
}

/** Lists the models that can be named, with the contents of their folders. */
export async function installedModels(): Promise<InstalledModel[]> {
  const models = await modelNames()
  return Promise.all(
    models.map(async (model) =>
      readModelFolder(model.folder).then(
        (read) => ({ ...model, read }),
        (thrown) => ({ ...model, problem: messageOf(thrown) }),
      ),
    ),
  )
}
