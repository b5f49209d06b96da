import { StorageError } from '../../errors'
import type { ImageRecord } from '../../schema'
import type { Bucket } from '../../storage/store'
import { leavesRecord } from '../records/record'
import { resultsKey } from '../state/layout'

/** The lines of a text object, as long as it is there. */
async function* linesOf(results: Bucket, key: string): AsyncGenerator<string> {
  try {
    yield* results.lines(key)
  } catch (thrown) {
    if (!(thrown instanceof StorageError && thrown.code === 'object_not_found')) throw thrown
  }
}

/** What failed in the last run of a batch for reasons that may have passed, in the order of keys. */
export async function* failuresOf(results: Bucket, batch: string): AsyncGenerator<ImageRecord> {
  for await (const line of linesOf(results, resultsKey(batch, 'errors.jsonl'))) {
    const record: ImageRecord = JSON.parse(line)
    if (!leavesRecord(record)) yield record
  }
}
