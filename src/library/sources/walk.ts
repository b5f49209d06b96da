import type { Dirent } from 'node:fs'
import { opendir, stat } from 'node:fs/promises'
import { basename, join, resolve } from 'node:path'
import { messageOf, WhisklensError } from '../../errors'

/** A file found by {@link walk}. */
export interface FoundFile {
  path: string
  /** Path relative to the walked folder, with `/` on every system; the base name of a file passed explicitly. */
  name: string
  /** Passed explicitly. */
  isGiven?: boolean
  /** A link to a folder. Not followed, because it may form a cycle. */
  isFolderLink?: boolean
  /** Why it, or a folder, could not be read. */
  problem?: WhisklensError
}

/** Converts a file system error. */
export function asFileError(thrown: unknown, path: string): WhisklensError {
  const { code } = thrown as NodeJS.ErrnoException
  if (code === 'ENOENT' || code === 'ENOTDIR')
    return new WhisklensError('file_not_found', `There is no file or folder ${path}`, { cause: thrown })
  if (code === 'EACCES' || code === 'EPERM')
    return new WhisklensError('access_denied', `Not allowed to read ${path}`, { cause: thrown })
  return new WhisklensError('file_unreadable', `Could not read ${path}: ${messageOf(thrown)}`, {
    cause: thrown,
  })
}

/**
 * Lists the files of the given paths, in order. Folders are walked lazily, sorted by name, without dot files; sockets, pipes and
 * devices come with a `problem`.
 */
export async function* walk(paths: Iterable<string>): AsyncGenerator<FoundFile> {
  for (const path of paths) {
    const name = basename(resolve(path))
    try {
      const stats = await stat(path)
      if (stats.isDirectory()) yield* walkFolder(path, '')
      // Shell process substitution passes pipes such as /dev/fd/63. Other pipes might block forever.
      else if (stats.isFile() || /^\/(dev|proc)\//.test(path)) yield { path, name, isGiven: true }
      else yield { path, name, isGiven: true, problem: notAFile(path, stats) }
    } catch (thrown) {
      yield { path, name, isGiven: true, problem: asFileError(thrown, path) }
    }
  }
}

const notAFile = (path: string, entry: Pick<Dirent, 'isFIFO' | 'isSocket'>): WhisklensError => {
  const what = entry.isFIFO() ? 'a named pipe' : entry.isSocket() ? 'a socket' : 'a device'
  return new WhisklensError('file_unreadable', `${path} is ${what}, not a file`)
}

async function* walkFolder(folder: string, prefix: string): AsyncGenerator<FoundFile> {
  let entries: Entry[]
  try {
    entries = await entriesOf(folder)
  } catch (thrown) {
    yield { path: folder, name: prefix, problem: asFileError(thrown, folder) }
    return
  }
  for (const { name, ...file } of entries) {
    if (name.endsWith('/')) yield* walkFolder(join(folder, name.slice(0, -1)), prefix + name)
    else yield { path: join(folder, name), name: prefix + name, ...file }
  }
}

type Entry = Omit<FoundFile, 'path'>

/** Entries of a folder, sorted by name. Folder names end in a slash, so that the order is that of a bucket listing. */
async function entriesOf(folder: string): Promise<Entry[]> {
  const entries: Entry[] = []
  for await (const entry of await opendir(folder)) {
    if (!entry.name.startsWith('.')) entries.push(await entryOf(entry, join(folder, entry.name)))
  }
  return entries.sort((a, b) => (a.name < b.name ? -1 : 1))
}

async function entryOf(entry: Dirent, path: string): Promise<Entry> {
  const { name } = entry
  if (entry.isDirectory()) return { name: `${name}/` }
  if (entry.isFile()) return { name }
  if (!entry.isSymbolicLink()) return { name, problem: notAFile(path, entry) }
  try {
    const target = await stat(path)
    if (target.isDirectory()) return { name, isFolderLink: true }
    return target.isFile() ? { name } : { name, problem: notAFile(path, target) }
  } catch (thrown) {
    return { name, problem: asFileError(thrown, path) }
  }
}
