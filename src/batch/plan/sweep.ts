import pLimit from 'p-limit'
import { BatchTakenOverError, StorageError } from '../../errors'
import { putOnce } from '../../storage/put-once'
import type { Bucket } from '../../storage/store'
import { fromJsonLines, toJsonLines } from '../json-lines'
import { compareKeys } from '../keys'
import { recordsPrefix, removedKey, removedPrefix } from '../layout'
import type { Plan } from './plan'

/** Requests under way at a time. */
const atOnce = 8

/**
 * Deletes the records of images that are gone, in the order of their keys. A batch that was fired again notes them, for
 * their records of earlier passes to leave its results.
 * @returns what takes the keys of images that the source's listing does not have
 */
export function openSweep(plan: Plan, images: Bucket, results: Bucket): (keys: string[]) => Promise<void> {
  const pass = plan.passes.length - 1
  const limit = pLimit(atOnce)
  let notes: Awaited<ReturnType<typeof openNotes>> | undefined
  return async (keys) => {
    if (keys.length === 0) return
    if (pass > 0) notes ??= await openNotes(results, plan.batch, pass)
    const fresh = keys.filter((key) => !notes?.isPast(key))
    const found = await Promise.all(fresh.map((key) => limit(() => isThere(images, key))))
    const gone = fresh.filter((_, index) => !found[index])
    // Noted first: once its record is deleted, no listing would find it again.
    await notes?.add(gone)
    const root = recordsPrefix(plan.modelVersion, plan.bucket)
    await Promise.all(gone.map((key) => limit(() => results.delete(root + key))))
  }
}

/** An upload can come between the pages of two listings. Where the source refuses to tell, nothing is deleted. */
async function isThere(images: Bucket, key: string): Promise<boolean> {
  try {
    return (await images.head(key)) !== undefined
  } catch (thrown) {
    if (thrown instanceof StorageError && !thrown.retryable) return true
    throw thrown
  }
}

/**
 * Notes go on behind those of an activation that died. What it passed by is left alone, for the next pass to find: the
 * notes have to stay in order, and to name each key once.
 */
async function openNotes(results: Bucket, batch: string, pass: number) {
  const written: string[] = []
  for await (const { key } of results.list({ prefix: removedPrefix(batch, pass) })) written.push(key)
  const newest = written.at(-1)
  const last = newest && fromJsonLines<{ key: string }>((await results.get(newest)).body).at(-1)?.key
  let next = written.length
  return {
    isPast: (key: string): boolean => last !== undefined && compareKeys(key, last) <= 0,
    add: async (keys: string[]): Promise<void> => {
      if (keys.length === 0) return
      const body = toJsonLines(keys.map((key) => ({ key })))
      const name = removedKey(batch, pass, next)
      if ((await putOnce(results, name, body, null)) === undefined) throw new BatchTakenOverError(batch)
      next++
    },
  }
}
