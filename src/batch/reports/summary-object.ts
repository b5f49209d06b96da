import { messageOf } from '../../errors'
import { log } from '../../log'
import { type BatchSummary, summarySchema } from '../../schema'
import { putIf } from '../../storage/compare-and-swap'
import type { Bucket, StoredObject } from '../../storage/store'
import { summaryKey } from '../state/layout'

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
 * Opens the summary of a batch for the holder of its lease. Nothing is written where it says the same already.
 * @param verify throws once another activation has the lease: what a former holder knows must not replace what is there
 */
export function openSummary(results: Bucket, batch: string, verify: () => Promise<unknown>) {
  const key = summaryKey(batch)
  let seen: { etag: string | null; body: string | undefined } | undefined
  return {
    write: async (summary: BatchSummary): Promise<void> => {
      const body = `${JSON.stringify(summary, null, 2)}\n`
      while (seen?.body !== body) {
        if (!seen) {
          const found = await results.find(key)
          seen = { etag: found?.etag ?? null, body: found?.body.toString('utf8') }
          if (seen.body === body) return
          await verify()
        }
        const etag = await putIf(results, key, body, seen.etag)
        seen = etag === undefined ? undefined : { etag, body }
      }
    },
  }
}
