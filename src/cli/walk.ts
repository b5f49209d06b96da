import { opendir, stat } from 'node:fs/promises'
import { basename, extname, join, resolve } from 'node:path'
import { messageOf, WhisklensError } from '../errors'

/** Content types of what can be classified, by file extension. */
const imageTypes: Record<string, string> = {
  '.jpg': 'image/jpeg',
  '.jpeg': 'image/jpeg',
  '.png': 'image/png',
  '.webp': 'image/webp',
  '.gif': 'image/gif',
  '.avif': 'image/avif',
  '.tif': 'image/tiff',
  '.tiff': 'image/tiff',
}

/** The content type of an image by its name's extension, in any case; undefined for anything else. */
export const imageType = (name: string): string | undefined => imageTypes[extname(name).toLowerCase()]

export const isImageName = (name: string): boolean => imageType(name) !== undefined

/** A file that was found. */
export interface FoundFile {
  path: string
  /** Below the folder it was found in, with `/` on every system; the bare name of a file that was given itself. */
  name: string
  /** What kept it, or a folder of that path, from being read. */
  problem?: WhisklensError
}

/** What the file system said, as one of our errors. */
export function asFileError(thrown: unknown, path: string): WhisklensError {
  const { code } = thrown as NodeJS.ErrnoException
  if (code === 'ENOENT')
    return new WhisklensError('file_not_found', `There is no file or folder ${path}`, { cause: thrown })
  if (code === 'EACCES' || code === 'EPERM')
    return new WhisklensError('access_denied', `Not allowed to read ${path}`, { cause: thrown })
  return new WhisklensError('file_unreadable', `Could not read ${path}: ${messageOf(thrown)}`, {
    cause: thrown,
  })
}

/**
 * The files of the given paths, in their order: files as they are, folders walked as far as the files are asked for,
 * each folder sorted by name. Names that begin with a dot are left out below a folder; links to files are followed there,
 * links to folders are not, for they may lead in circles.
 * @param accept which names count inside folders
 */
export async function* walk(
  paths: Iterable<string>,
  accept: (name: string) => boolean = () => true,
): AsyncGenerator<FoundFile> {
  for (const path of paths) {
    const name = basename(resolve(path))
    try {
      if ((await stat(path)).isDirectory()) yield* walkFolder(path, '', accept)
      else yield { path, name }
    } catch (thrown) {
      yield { path, name, problem: asFileError(thrown, path) }
    }
  }
}

async function* walkFolder(
  folder: string,
  prefix: string,
  accept: (name: string) => boolean,
): AsyncGenerator<FoundFile> {
  let names: string[]
  try {
    names = await entriesOf(folder, accept)
  } catch (thrown) {
    yield { path: folder, name: prefix, problem: asFileError(thrown, folder) }
    return
  }
  for (const name of names) {
    if (name.endsWith('/')) yield* walkFolder(join(folder, name.slice(0, -1)), prefix + name, accept)
    else yield { path: join(folder, name), name: prefix + name }
  }
}

/** The names in a folder, sorted; those of folders end in a slash, and so come where a bucket would list them. */
async function entriesOf(folder: string, accept: (name: string) => boolean): Promise<string[]> {
  const names: string[] = []
  for await (const entry of await opendir(folder)) {
    if (entry.name.startsWith('.')) continue
    if (entry.isDirectory()) names.push(`${entry.name}/`)
    else if (accept(entry.name) && (entry.isFile() || (await leadsToFile(entry, folder))))
      names.push(entry.name)
  }
  return names.sort()
}

const leadsToFile = async (entry: { name: string; isSymbolicLink(): boolean }, folder: string) =>
  entry.isSymbolicLink() &&
  // A link that leads nowhere is reported when it is read, and not lost.
  (await stat(join(folder, entry.name)).then(
    (stats) => stats.isFile(),
    () => true,
  ))
