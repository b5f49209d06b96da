import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { messageOf } from '../errors'
import { boxModelsFolder, type ModelFolder, readModelFolder, userModelsFolder } from '../model-folder/folder'

/** A model that can be named. */
export interface InstalledModel {
  name: string
  folder: string
  /** Whether it is one of the box, or the user added it. */
  origin: 'box' | 'added'
  read?: ModelFolder
  /** Why it cannot be read. */
  problem?: string
}

/** The names of all models that can be named, in order. One that the user added hides one of the same name in the box. */
export async function modelNames(): Promise<Pick<InstalledModel, 'name' | 'folder' | 'origin'>[]> {
  const found = new Map<string, InstalledModel>()
  for (const [origin, parent] of [
    ['box', boxModelsFolder()],
    ['added', userModelsFolder()],
  ] as const) {
    const entries = await readdir(parent, { withFileTypes: true }).catch(() => [])
    for (const entry of entries) {
      // What is being added or removed has a name that begins with a dot.
      if (entry.name.startsWith('.') || !(entry.isDirectory() || entry.isSymbolicLink())) continue
      found.set(entry.name, { name: entry.name, folder: join(parent, entry.name), origin })
    }
  }
  return [...found.values()].sort((a, b) => (a.name < b.name ? -1 : 1))
}

/** All models that can be named, and what is in their folders. */
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
