import type { Bucket } from '../../storage/store'
import { fromJsonLines, partsAhead } from '../chunk/parts'
import { compareKeys } from '../keys'
import { removedPrefix } from '../layout'
import type { Plan } from '../plan/plan'
import { readAhead } from './read-ahead'

/** The keys of images that a pass found to be gone, in order. */
async function* removedKeys(results: Bucket, batch: string, pass: number): AsyncGenerator<string> {
  const objects = results.list({ prefix: removedPrefix(batch, pass) })
  for await (const { body } of readAhead(objects, partsAhead, ({ key }) => results.get(key)))
    yield* fromJsonLines<{ key: string }>(body).map(({ key }) => key)
}

/**
 * Opens what the later passes of a batch found to be gone.
 * @returns the last pass that found a key gone, or -1; keys have to be asked for in order
 */
export async function openRemovals(
  results: Bucket,
  { batch, passes }: Plan,
): Promise<(key: string) => Promise<number>> {
  const found = await Promise.all(
    passes.slice(1).map(async (_, index) => {
      const keys = removedKeys(results, batch, index + 1)
      return { pass: index + 1, keys, next: await keys.next() }
    }),
  )
  return async (key) => {
    let last = -1
    for (const removals of found) {
      const { keys } = removals
      while (!removals.next.done && compareKeys(removals.next.value, key) < 0)
        removals.next = await keys.next()
      if (!removals.next.done && removals.next.value === key) last = removals.pass
    }
    return last
  }
}
