import pLimit from 'p-limit'
import { StorageError } from '../../errors'
import type { Bucket, ObjectInfo } from '../../storage/store'
import { compareKeys, inOrder, keyBefore } from '../records/keys'

/** Keys per page of a listing. Where a page contains fewer than `min` of the keys, HEAD requests are faster. */
export const page = { length: 1_000, min: 20 }

const atOnce = 32

/**
 * Looks up objects by key: by listing where the keys lie close together, by HEAD where they are sparse.
 * @param keys sorted, without duplicates
 * @param root prefix of the keys in the bucket, removed from the result
 */
export async function lookUp(bucket: Bucket, keys: string[], root = ''): Promise<Map<string, ObjectInfo>> {
  const found = new Map<string, ObjectInfo>()
  let next = 0
  let [listed, answered] = [0, 0]
  const [first] = keys
  if (first === undefined) return found
  const listing = bucket.list({ prefix: root, startAfter: root + keyBefore(first) || undefined })
  for await (const { key: name, ...object } of inOrder(listing)) {
    const key = name.slice(root.length)
    const from = next
    while (next < keys.length && compareKeys(keys[next] as string, key) < 0) next++
    if (keys[next] === key) {
      found.set(key, { key, ...object })
      next++
    }
    answered += next - from
    if (next === keys.length) return found
    if (++listed % page.length > 0) continue
    if (answered < page.min) {
      await headEach(bucket, keys.slice(next), root, found)
      return found
    }
    answered = 0
  }
  return found
}

async function headEach(bucket: Bucket, keys: string[], root: string, found: Map<string, ObjectInfo>) {
  const limit = pLimit(atOnce)
  const headOne = async (key: string): Promise<void> => {
    const object = await headOf(bucket, root + key)
    if (object) found.set(key, { ...object, key })
  }
  await Promise.all(keys.map((key) => limit(headOne, key)))
}

/** Finds an object by listing where HEAD is refused: objects under a customer-provided key answer it with 400. */
async function headOf(bucket: Bucket, key: string): Promise<ObjectInfo | undefined> {
  try {
    return await bucket.head(key)
  } catch (thrown) {
    if (!(thrown instanceof StorageError) || thrown.status !== 400) throw thrown
    for await (const object of bucket.list({ prefix: key })) return object.key === key ? object : undefined
    return undefined
  }
}
