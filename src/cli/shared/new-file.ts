import { rmSync } from 'node:fs'
import { open, rename } from 'node:fs/promises'
import { messageOf, WhisklensError } from '../../errors'

/**
 * Writes a file atomically: under a temporary name, renamed after the last byte.
 * @param work called with a function that appends bytes
 * @returns the result of `work`
 * @throws WhisklensError `file_unwritable`, or an error of `work`
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
  // Ctrl-C exits without reaching the end of this function.
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
