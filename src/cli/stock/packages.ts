import { existsSync } from 'node:fs'
import { readdir, readFile, realpath } from 'node:fs/promises'
import { dirname, join, relative, sep } from 'node:path'
import { InvalidInputError } from '../../errors'
import { npmPackage } from '../../models/catalogue/npm-package'
import { pinned } from './pinned'

/** Files by their paths in the unpacked folder, with slashes. */
export type Files = Record<string, Uint8Array>

/**
 * Reads the files of a folder, sorted by path.
 * @param below prefix of the paths in the result
 * @param isNeeded called with paths relative to the folder
 */
export async function readFiles(
  folder: string,
  below: string,
  isNeeded: (path: string) => boolean = () => true,
): Promise<Files> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  const paths = entries
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)).split(sep).join('/'))
  const files: Files = {}
  for (const path of paths.filter(isNeeded).sort())
    files[`${below}/${path}`] = await readFile(join(folder, path))
  return files
}

/**
 * Resolves the folder of a package as Node.js does: in the nearest `node_modules` above. Pinned packages that are not installed
 * are fetched with npm.
 * @throws InvalidInputError if there is none
 */
export async function findPackage(name: string, from: string): Promise<string> {
  for (let folder = from; ; folder = dirname(folder)) {
    const found = join(folder, 'node_modules', name)
    // pnpm's packages are links to a folder beside their own dependencies.
    if (existsSync(found)) return realpath(found)
    if (folder === dirname(folder)) break
  }
  const exact = pinned[name]
  if (exact) return npmPackage(name, exact.version, exact.integrity)
  throw new InvalidInputError('bad_deployment', `The package ${name} is not installed`, {
    hint: 'Install Whisklens with its dependencies: npm install.',
  })
}

/** Folders of a package and all its dependencies, by name. @param also further dependencies of the package */
export async function withDependencies(
  name: string,
  from: string,
  also: string[] = [],
): Promise<Map<string, string>> {
  const folders = new Map<string, string>()
  const visit = async (name: string, from: string, also: string[]): Promise<void> => {
    if (folders.has(name)) return
    const folder = await findPackage(name, from)
    folders.set(name, folder)
    const { dependencies = {} } = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8'))
    for (const dependency of [...Object.keys(dependencies), ...also]) await visit(dependency, folder, [])
  }
  await visit(name, from, also)
  return folders
}
