import { open } from 'node:fs/promises'
import { ImageError } from '../errors'
import { maxImageBytes } from './classify-task'
import { asFileError } from './walk'

/**
 * Reads an image's file.
 * @throws WhisklensError `file_not_found`, `access_denied` or `file_unreadable`
 * @throws ImageError `image_too_large`
 */
export async function readImage(path: string): Promise<Buffer> {
  const failed = (thrown: unknown): never => {
    throw asFileError(thrown, path)
  }
  const file = await open(path).catch(failed)
  try {
    const { size } = await file.stat()
    if (size > maxImageBytes) {
      throw new ImageError(
        'image_too_large',
        `The file has ${size} bytes, more than the ${maxImageBytes} that are read`,
      )
    }
    return await file.readFile().catch(failed)
  } finally {
    await file.close()
  }
}
