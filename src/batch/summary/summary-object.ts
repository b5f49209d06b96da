import { messageOf, StorageError } from '../../errors'
import { log } from '../../log'
import { type BatchSummary, summarySchema } from '../../schema'
import type { Bucket, StoredObject } from '../../storage/store'
import { summaryKey } from '../layout'

/** One that cannot be read is as good as none: it must not stand in the way of all others. */
function parse({ key, body }: StoredObject): BatchSummary | undefined {
  try {
    return summarySchema.parse(JSON.parse(body.toString('utf8')))
  } catch (thrown) {
    log.warn({ key, reason: messageOf(thrown) }, 'a summary cannot be read')
    return undefined
  }
}

/** The summary of a batch, as it was last written; undefined also for one that cannot be read. */
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
  mayReplace: (current: BatchSummary) => boolean | Promise<boolean> = () => true,
): Promise<boolean> {
  const key = summaryKey(summary.batch)
  const body = `${JSON.stringify(summary, null, 2)}\n`
  for (;;) {
    const found = await results.find(key)
    if (found?.body.toString('utf8') === body) return false
    const current = found && parse(found)
    if (current && !(await mayReplace(current))) return false
    try {
      await results.put(key, body, { contentType: 'application/json', replaces: found ? found.etag : null })
      return true
    } catch (thrown) {
      if (!(thrown instanceof StorageError && thrown.code === 'precondition_failed')) throw thrown
    }
  }
}
