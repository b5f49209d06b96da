import { readAhead } from '../../read-ahead'
import type { Bucket } from '../../storage/store'
import { partsAhead } from '../chunk/parts'
import { fromJsonLines } from '../json-lines'
import { removedPrefix } from '../layout'
import { findByKey } from '../ordered'
import type { Plan } from '../plan/plan'

/** The keys of images that a pass found to be gone, in order. */
async function* removed(results: Bucket, batch: string, pass: number): AsyncGenerator<{ key: string }> {
  const objects = results.list({ prefix: removedPrefix(batch, pass) })
  for await (const { body } of readAhead(objects, partsAhead, ({ key }) => results.get(key)))
    yield* fromJsonLines<{ key: string }>(body)
}

/**
 * Opens what the later passes of a batch found to be gone.
 * @returns the last pass that found a key gone, or -1; keys have to be asked for in order
 */
export function openRemovals(results: Bucket, { batch, passes }: Plan): (key: string) => Promise<number> {
  const found = passes.slice(1).map((_, index) => findByKey(removed(results, batch, index + 1)))
  return async (key) => {
    let last = -1
    for (const [index, find] of found.entries()) if (await find(key)) last = index + 1
    return last
  }
}
