import { StorageError } from '../errors'
import { type BatchSummary, summarySchema } from '../schema'
import type { Bucket, StoredObject } from '../storage/store'
import { summaryKey } from './layout'

const parse = ({ body }: StoredObject): BatchSummary => summarySchema.parse(JSON.parse(body.toString('utf8')))

/** The summary of a batch, as it was last written. */
export async function readSummary(results: Bucket, batch: string): Promise<BatchSummary | undefined> {
  const found = await results.find(summaryKey(batch))
  return found && parse(found)
}

/**
 * Writes `summary.json`, safe against others who write it at the same time.
 * @param mayReplace whether the summary that is there may go; by default any may
 * @returns false when the very same was there already, or what was there had to stay
 */
export async function writeSummary(
  results: Bucket,
  summary: BatchSummary,
  mayReplace: (current: BatchSummary) => boolean = () => true,
): Promise<boolean> {
  const key = summaryKey(summary.batch)
  const body = `${JSON.stringify(summary, null, 2)}\n`
  for (;;) {
    const found = await results.find(key)
    if (found && (found.body.toString('utf8') === body || !mayReplace(parse(found)))) return false
    try {
      await results.put(key, body, { contentType: 'application/json', replaces: found ? found.etag : null })
      return true
    } catch (thrown) {
      if (!(thrown instanceof StorageError && thrown.code === 'precondition_failed')) throw thrown
    }
  }
}
