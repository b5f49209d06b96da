import { closeSync, openSync, readSync } from 'node:fs'
import { refusalOf } from '../../classifier/refusal'
import { kindOf, signatureBytes } from '../../classifier/signature'
import type { WhisklensError } from '../../errors'
import { isImageName, isUndecodedName } from './image-names'
import { asFileError, type FoundFile } from './walk'

/** A file to be treated as an image. */
export interface ImageFile extends FoundFile {
  /** Content type, if the name has no image extension. */
  type?: string
}

/** A file that is not an image, or a link to a folder. */
export type SkippedFile = Pick<FoundFile, 'path' | 'name' | 'isFolderLink'>

/** Result of {@link identify}. */
export interface Identification {
  isImage: boolean
  type?: string
  problem?: WhisklensError
}

/** Identifies an image by its name, or else by its signature. @param readStart reads the first bytes of the file */
export async function identify(
  name: string,
  readStart: () => Promise<Uint8Array> | Uint8Array,
): Promise<Identification> {
  if (isImageName(name)) return { isImage: true }
  const kind = kindOf(await readStart())
  if (kind?.format) return { isImage: true, type: `image/${kind.format}` }
  const isImage = kind?.isImage || isUndecodedName(name)
  return isImage ? { isImage, problem: refusalOf(kind) } : { isImage: false }
}

/**
 * Selects the images among files, in order. Files named explicitly are always included. Files found below a folder are included
 * by extension or signature; those in formats that are not decoded come with a `problem`.
 * @param skip called for each file left out
 */
export async function* imagesAmong(
  files: AsyncIterable<FoundFile>,
  skip: (file: SkippedFile) => void,
): AsyncGenerator<ImageFile> {
  for await (const file of files) {
    if (file.isGiven || file.problem) yield file
    else if (file.isFolderLink) skip(file)
    else yield* imageIn(file, skip)
  }
}

async function* imageIn(file: FoundFile, skip: (file: SkippedFile) => void): AsyncGenerator<ImageFile> {
  try {
    const { isImage, ...identified } = await identify(file.name, () => firstBytes(file.path))
    if (isImage) yield { ...file, ...identified }
    else skip(file)
  } catch (thrown) {
    yield { ...file, problem: asFileError(thrown, file.path) }
  }
}

/** Synchronous: each asynchronous step through Node's thread pool costs as much as the whole read. */
function firstBytes(path: string): Uint8Array {
  const file = openSync(path, 'r')
  try {
    const bytes = Buffer.alloc(signatureBytes)
    return bytes.subarray(0, readSync(file, bytes, 0, signatureBytes, 0))
  } finally {
    closeSync(file)
  }
}
