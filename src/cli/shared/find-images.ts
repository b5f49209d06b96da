import { closeSync, openSync, readSync } from 'node:fs'
import { refusalOf } from '../../classifier/refusal'
import { kindOf, signatureBytes } from '../../classifier/signature'
import type { WhisklensError } from '../../errors'
import { countIn, countName, isImageName, isUndecodedName, type Tally } from './image-names'
import { asFileError, type FoundFile } from './walk'

/** A file that is to be worked on as an image. */
export interface ImageFile extends FoundFile {
  /** Its content type, where its name does not say it. */
  type?: string
}

/** Whether a file is an image, by its name and first bytes. */
export interface Finding {
  isImage: boolean
  type?: string
  problem?: WhisklensError
}

/** @param begin reads the first bytes of a file whose name does not say that it is an image */
export async function lookAt(name: string, begin: () => Promise<Uint8Array> | Uint8Array): Promise<Finding> {
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
 * @param others counts what is no image, by extension
 */
export async function* imagesAmong(
  files: AsyncIterable<FoundFile>,
  others: Tally,
): AsyncGenerator<ImageFile> {
  for await (const file of files) {
    if (file.isGiven || file.problem) yield file
    else if (file.isFolderLink) countIn(others, 'links to folders')
    else yield* imageIn(file, others)
  }
}

async function* imageIn(file: FoundFile, others: Tally): AsyncGenerator<ImageFile> {
  try {
    const { isImage, ...finding } = await lookAt(file.name, () => beginningOf(file.path))
    if (isImage) yield { ...file, ...finding }
    else countName(others, file.name)
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
