import type { Dirent } from 'node:fs'
import { opendir, stat } from 'node:fs/promises'
import { basename, join, resolve } from 'node:path'
import { messageOf, WhisklensError } from '../../errors'

/** A file that was found. */
export interface FoundFile {
  path: string
  /** Below the folder it was found in, with `/` on every system; the bare name of a file that was given itself. */
  name: string
  /** Whether it is one of the paths itself. */
  isGiven?: boolean
  /** A link to a folder, which is not followed: it may lead in circles. */
  isFolderLink?: boolean
  /** What kept it, or a folder of that path, from being read. */
  problem?: WhisklensError
}

/** What the file system said, as one of our errors. */
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
 * The files of the given paths, in their order: files as they are, folders walked as far as the files are asked for,
 * each folder sorted by name. Names that begin with a dot are left out below a folder; what is no file there comes with
 * that problem.
 */
export async function* walk(paths: Iterable<string>): AsyncGenerator<FoundFile> {
  for (const path of paths) {
    const name = basename(resolve(path))
    try {
      const stats = await stat(path)
      if (stats.isDirectory()) yield* walkFolder(path, '')
      // The shell makes pipes of its own, such as /dev/fd/63; others may wait for ever for a writer.
      else if (stats.isFile() || /^\/(dev|proc)\//.test(path)) yield { path, name, isGiven: true }
      else yield { path, name, isGiven: true, problem: noFile(path, stats) }
    } catch (thrown) {
      yield { path, name, isGiven: true, problem: asFileError(thrown, path) }
    }
  }
}

const noFile = (path: string, entry: Pick<Dirent, 'isFIFO' | 'isSocket'>): WhisklensError => {
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

/** What is in a folder, sorted by name; those of folders end in a slash, and so come where a bucket would list them. */
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
  if (!entry.isSymbolicLink()) return { name, problem: noFile(path, entry) }
  try {
    const target = await stat(path)
    if (target.isDirectory()) return { name, isFolderLink: true }
    return target.isFile() ? { name } : { name, problem: noFile(path, target) }
  } catch (thrown) {
    return { name, problem: asFileError(thrown, path) }
  }
}
