import { StorageError } from '../errors'
import type { Bucket } from './store'

/**
 * Writes an object if it is still of a given version.
 * @param replaces etag of the version that must be there, or null for none
 * @returns the new etag; undefined when something else is there, or the very same whose answer got lost
 */
export async function putIf(
  bucket: Bucket,
  key: string,
  body: string,
  replaces: string | null,
  contentType = 'application/json',
): Promise<string | undefined> {
  try {
    return await bucket.put(key, body, { contentType, replaces })
  } catch (thrown) {
    if (!(thrown instanceof StorageError && thrown.code === 'precondition_failed')) throw thrown
    return undefined
  }
}

/** As {@link putIf}. @returns the new etag, or undefined when somebody else was faster */
export async function putOnce(...write: Parameters<typeof putIf>): Promise<string | undefined> {
  const etag = await putIf(...write)
  if (etag !== undefined) return etag
  // A request whose answer got lost is sent again, and then meets what it wrote itself.
  const [bucket, key, body] = write
  const current = await bucket.find(key)
  return current?.body.toString('utf8') === body ? current.etag : undefined
}
