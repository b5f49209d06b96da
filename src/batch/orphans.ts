import { isClosed } from '../schema'
import type { Bucket } from '../storage/store'
import { planKey } from './layout'
import { stateOfLease } from './lease'
import { listBatches } from './results'
import { readSummary } from './summary-object'

/** The uploads of a day have no plan and nobody in charge. */
const isUploads = (batch: string): boolean => batch.startsWith('uploads-')

/** What is known from an earlier look. */
export interface Seen {
  /** Need not be looked at again. */
  closed: Set<string>
  /** Had nobody in charge, which at a hand-over lasts for a moment. */
  free: Set<string>
}

export const nothingSeen = (): Seen => ({ closed: new Set(), free: new Set() })

/**
 * The batches that are open while whoever was in charge of them died, or that have had nobody in charge for two looks.
 * Somebody has to resume them.
 */
export async function findOrphans(results: Bucket, seen: Seen): Promise<string[]> {
  const orphans: string[] = []
  const free = new Set<string>()
  for await (const batch of listBatches(results)) {
    if (isUploads(batch) || seen.closed.has(batch)) continue
    const state = await stateOfLease(results, batch)
    if (state === 'held') continue
    // A batch that failed before it had a plan is none: what it was to be about is not known.
    if (!(await results.head(planKey(batch)))) continue
    const summary = await readSummary(results, batch)
    if (summary && isClosed(summary.state)) seen.closed.add(batch)
    else if (state === 'died' || seen.free.has(batch)) orphans.push(batch)
    else free.add(batch)
  }
  seen.free = free
  return orphans
}
