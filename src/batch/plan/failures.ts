import { StorageError } from '../../errors'
import type { ImageRecord } from '../../schema'
import type { Bucket } from '../../storage/store'
import { leavesRecord } from '../chunk/record'
import { resultsKey } from '../layout'
import { findByKey } from '../ordered'
import type { Plan } from './plan'

/** The lines of a text object, as long as it is there. */
export async function* linesOf(results: Bucket, key: string): AsyncGenerator<string> {
  try {
    yield* results.lines(key)
  } catch (thrown) {
    if (!(thrown instanceof StorageError && thrown.code === 'object_not_found')) throw thrown
  }
}

/** What failed in a closed batch for reasons that may have passed, in the order of keys. */
export async function* failuresOf(results: Bucket, batch: string): AsyncGenerator<ImageRecord> {
  for await (const line of linesOf(results, resultsKey(batch, 'errors.jsonl'))) {
    const record: ImageRecord = JSON.parse(line)
    if (!leavesRecord(record)) yield record
  }
}

/**
 * Opens what failed in a batch that is retried: another batch may have a record of it.
 * @returns whether an image is among it; keys have to be asked for in order
 */
export function openFailures({ batch, retry }: Plan, results: Bucket): (key: string) => Promise<boolean> {
  if (!retry) return async () => false
  const find = findByKey(failuresOf(results, batch))
  return async (key) => (await find(key)) !== undefined
}
