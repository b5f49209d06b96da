import { StorageError } from '../errors'
import type { Bucket } from './store'

/**
 * Writes an object if it is still of a given version.
 * @param replaces etag of the version that must be there, or null for none
 * @returns the new etag, or undefined when somebody else was faster
 */
export async function putOnce(
  bucket: Bucket,
  key: string,
  body: string,
  replaces: string | null,
): Promise<string | undefined> {
  try {
    return await bucket.put(key, body, { contentType: 'application/json', replaces })
  } catch (thrown) {
    if (!(thrown instanceof StorageError && thrown.code === 'precondition_failed')) throw thrown
    // A request whose answer got lost is sent again, and then meets what it wrote itself.
    const current = await bucket.find(key)
    return current?.body.toString('utf8') === body ? current.etag : undefined
  }
}
