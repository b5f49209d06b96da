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

/** Writes the summary of a batch whose lease an activation holds. */
export interface SummaryWriter {
  /** Nothing is written where the summary says the same already. */
  write(summary: BatchSummary): Promise<void>
}

/**
 * Opens the summary of a batch for the holder of its lease.
 * @param verify throws once another activation has the lease: what a former holder knows must not replace what is there
 */
export function openSummary(results: Bucket, batch: string, verify: () => Promise<unknown>): SummaryWriter {
  const key = summaryKey(batch)
  let seen: { etag: string | null; body: string | undefined } | undefined
  const look = async () => {
    const found = await results.find(key)
    return { etag: found?.etag ?? null, body: found?.body.toString('utf8') }
  }
  /** @returns whether it was still as it was seen, and says so now */
  const replace = async (body: string): Promise<boolean> => {
    if (!seen) {
      seen = await look()
      if (seen.body === body) return true
      await verify()
    }
    const etag = await putIf(results, key, body, seen.etag)
    seen = etag === undefined ? undefined : { etag, body }
    return seen !== undefined
  }
  return {
    write: async (summary) => {
      const body = `${JSON.stringify(summary, null, 2)}\n`
      while (seen?.body !== body && !(await replace(body)));
    },
  }
}
