import { rmSync } from 'node:fs'
import { open, rename } from 'node:fs/promises'
import { messageOf, WhisklensError } from '../../errors'

/**
 * Writes a file that is whole or not there at all: under a temporary name beside it until the last byte is in.
 * @param work is given a function that appends bytes
 * @returns what `work` does
 * @throws WhisklensError `file_unwritable`, or whatever `work` throws
 */
export async function writeNewFile<T>(
  path: string,
  work: (write: (bytes: Uint8Array) => Promise<void>) => Promise<T>,
): Promise<T> {
  const unwritable = (cause: unknown): never => {
    throw new WhisklensError('file_unwritable', `Could not write ${path}: ${messageOf(cause)}`, { cause })
  }
  const temporary = `${path}.${process.pid}.tmp`
  const remove = () => rmSync(temporary, { force: true })
  const file = await open(temporary, 'wx').catch(unwritable)
  // Interrupted by Ctrl-C, the process does not come to the end of this function.
  process.once('exit', remove)
  try {
    const result = await work((bytes) => file.writeFile(bytes).catch(unwritable)).finally(() => file.close())
    await rename(temporary, path).catch(unwritable)
    return result
  } finally {
    process.off('exit', remove)
    remove()
  }
}
