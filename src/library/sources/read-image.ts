import { closeSync, fstatSync, open, read, readFile } from 'node:fs'
import { promisify } from 'node:util'
import { ImageError, WhisklensError } from '../../errors'
import { maxImageBytes } from '../../image-files'
import { asFileError } from './walk'

const openFile = promisify(open)
const readAll = promisify(readFile)
const readPart = promisify(read)

/**
 * Reads an image file. Only open and read are asynchronous: each step through Node's thread pool costs as much as reading a
 * small file.
 * @throws WhisklensError `file_not_found`, `access_denied` or `file_unreadable`
 * @throws ImageError `image_too_large`
 */
export async function readImage(path: string): Promise<Buffer> {
  const failed = (thrown: unknown): never => {
    throw asFileError(thrown, path)
  }
  const file = await openFile(path, 'r').catch(failed)
  try {
    const stats = fstatSync(file)
    if (stats.isDirectory()) throw new WhisklensError('file_unreadable', `${path} is a folder, not a file`)
    const { size } = stats
    if (size > maxImageBytes) throw tooLarge(`The file has ${size} bytes`)
    // A pipe has no size.
    return await (stats.isFile() ? readWhole(file, size) : readAll(file)).catch(failed)
  } finally {
    closeSync(file)
  }
}

/** The error for a file over the size limit. */
export const tooLarge = (what: string): ImageError =>
  new ImageError('image_too_large', `${what}; the limit is ${maxImageBytes}`)

async function readWhole(file: number, size: number): Promise<Buffer> {
  // Not from the pool of small buffers, which would outlive the image.
  const bytes = Buffer.allocUnsafeSlow(size)
  let done = 0
  while (done < size) {
    const { bytesRead } = await readPart(file, bytes, done, size - done, done)
    if (bytesRead === 0) break
    done += bytesRead
  }
  return bytes.subarray(0, done)
}
