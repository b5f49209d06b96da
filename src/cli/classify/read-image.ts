import { closeSync, fstatSync, open, read, readFile } from 'node:fs'
import { promisify } from 'node:util'
import { ImageError } from '../../errors'
import { asFileError } from '../shared/walk'
import { maxImageBytes } from './task'

const openFile = promisify(open)
const readAll = promisify(readFile)
const readPart = promisify(read)

/**
 * Reads an image's file. What waits for the disk does not block; the rest is done at once, for each step through Node's
 * threads takes as long as a small file's reading.
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
    const { size } = stats
    if (size > maxImageBytes) throw tooLarge(`The file has ${size} bytes`)
    // A pipe has no size.
    return await (stats.isFile() ? readWhole(file, size) : readAll(file)).catch(failed)
  } finally {
    closeSync(file)
  }
}

const tooLarge = (what: string): ImageError =>
  new ImageError('image_too_large', `${what}, more than the ${maxImageBytes} that are read`)

/** Reads an image from stdin. @throws ImageError `image_too_large` */
export async function readStdin(): Promise<Buffer> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of process.stdin) {
    chunks.push(chunk)
    size += chunk.length
    if (size > maxImageBytes) throw tooLarge(`There are ${size} bytes on stdin`)
  }
  return Buffer.concat(chunks)
}

async function readWhole(file: number, size: number): Promise<Buffer> {
  // Not of the pool of small buffers, which would outlive the image.
  const bytes = Buffer.allocUnsafeSlow(size)
  let done = 0
  while (done < size) {
    const { bytesRead } = await readPart(file, bytes, done, size - done, done)
    if (bytesRead === 0) break
    done += bytesRead
  }
  return bytes.subarray(0, done)
}
