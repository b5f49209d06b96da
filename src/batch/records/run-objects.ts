import type { Bucket } from '../../storage/store'

/** Deletes the objects of runs up to one. @param prefix of keys that continue with the number of their run */
export async function deleteRuns(results: Bucket, prefix: string, upTo: number): Promise<void> {
  const keys: string[] = []
  for await (const { key } of results.list({ prefix }))
    if (Number.parseInt(key.slice(prefix.length), 10) <= upTo) keys.push(key)
  if (keys.length > 0) await results.deleteAll(keys)
}
