import { messageOf } from '../../errors'
import { log } from '../../log'
import { type BatchSummary, summarySchema } from '../../schema'
import { putIf } from '../../storage/compare-and-swap'
import type { Bucket, StoredObject } from '../../storage/store'
import { summaryKey } from '../state/layout'

/** Parses a summary. One that cannot be read is skipped: it must not block all others. */
function parse({ key, body }: StoredObject): BatchSummary | undefined {
  try {
    return summarySchema.parse(JSON.parse(body.toString('utf8')))
  } catch (thrown) {
    log.warn({ key, reason: messageOf(thrown) }, 'a summary cannot be read')
    return undefined
  }
}

/** The last written summary of a batch; undefined if it is missing or unreadable. */
export async function readSummary(results: Bucket, batch: string): Promise<BatchSummary | undefined> {
  const found = await results.find(summaryKey(batch))
  return found && parse(found)
}

/**
 * Opens the summary of a batch for its lease holder. Writes only changes.
 * @param verify throws once another activation has the lease, so that a former holder does not overwrite newer data
 */
export function openSummary(results: Bucket, batch: string, verify: () => Promise<unknown>) {
  const key = summaryKey(batch)
  let stored: { etag: string | null; body: string | undefined } | undefined
  return {
    write: async (summary: BatchSummary): Promise<void> => {
      const body = `${JSON.stringify(summary, null, 2)}\n`
      while (stored?.body !== body) {
        if (!stored) {
          const found = await results.find(key)
          stored = { etag: found?.etag ?? null, body: found?.body.toString('utf8') }
          if (stored.body === body) return
          await verify()
        }
        const etag = await putIf(results, key, body, stored.etag)
        stored = etag === undefined ? undefined : { etag, body }
      }
    },
  }
}
