import { closeSync, openSync, readSync } from 'node:fs'
import { refusalOf } from '../../classifier/refusal'
import { kindOf, signatureBytes } from '../../classifier/signature'
import type { WhisklensError } from '../../errors'
import { isImageName, isUndecodedName } from './image-names'
import { asFileError, type FoundFile } from './walk'

/** A file that is to be worked on as an image. */
export interface ImageFile extends FoundFile {
  /** Its content type, where its name does not say it. */
  type?: string
}

/** A file that is no image, or a link to a folder. */
export type SkippedFile = Pick<FoundFile, 'path' | 'name' | 'isFolderLink'>

/** Whether a file is an image, by its name and first bytes. */
export interface Finding {
  isImage: boolean
  type?: string
  problem?: WhisklensError
}

/** @param begin reads the first bytes of a file whose name does not say that it is an image */
export async function identify(
  name: string,
  begin: () => Promise<Uint8Array> | Uint8Array,
): Promise<Finding> {
  if (isImageName(name)) return { isImage: true }
  const kind = kindOf(await begin())
  if (kind?.format) return { isImage: true, type: `image/${kind.format}` }
  const isImage = kind?.isImage || isUndecodedName(name)
  return isImage ? { isImage, problem: refusalOf(kind) } : { isImage: false }
}

/**
 * The images among files that were found, in their order. What is named itself counts, whatever it is. Below a folder it is
 * the name's extension that makes an image, or else the first bytes; images of formats that are not decoded come with that
 * problem.
 * @param skip is told of what is no image
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
    const { isImage, ...finding } = await identify(file.name, () => beginningOf(file.path))
    if (isImage) yield { ...file, ...finding }
    else skip(file)
  } catch (thrown) {
    yield { ...file, problem: asFileError(thrown, file.path) }
  }
}

/** Read at once: each step through Node's threads takes as long as all of it. */
function beginningOf(path: string): Uint8Array {
  const file = openSync(path, 'r')
  try {
    const bytes = Buffer.alloc(signatureBytes)
    return bytes.subarray(0, readSync(file, bytes, 0, signatureBytes, 0))
  } finally {
    closeSync(file)
  }
}
