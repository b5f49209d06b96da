import { existsSync } from 'node:fs'
import { readdir, readFile, realpath } from 'node:fs/promises'
import { dirname, join, relative, sep } from 'node:path'
import { InvalidInputError } from '../../errors'
import { npmPackage } from '../../models/catalogue/npm-package'
import { pinned } from './pinned'

/** Files by their paths below the folder they are unpacked to, with slashes. */
export type Files = Record<string, Uint8Array>

/**
 * Reads the files of a folder in the order of their paths.
 * @param below the folder that they are unpacked to
 * @param isNeeded is asked with the path in the folder
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
 * The folder of a package, by Node.js' own rule: it lies in the nearest `node_modules` above. What is pinned and not
 * installed is fetched by npm.
 * @throws InvalidInputError when there is none
 */
export async function findPackage(name: string, from: string): Promise<string> {
  for (let folder = from; ; folder = dirname(folder)) {
    const found = join(folder, 'node_modules', name)
    // pnpm's are links to where their own dependencies lie beside them.
    if (existsSync(found)) return realpath(found)
    if (folder === dirname(folder)) break
  }
  const exact = pinned[name]
  if (exact) return npmPackage(name, exact.version, exact.integrity)
  throw new InvalidInputError('bad_deployment', `The package ${name} is not installed`, {
    hint: 'Install Whisklens with its dependencies: npm install.',
  })
}

/** A package and all that it depends on, folders by names. @param also what it depends on beside those that it names */
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
