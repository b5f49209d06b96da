import { msOf } from '../../clock'
import { messageOf } from '../../errors'
import { log } from '../../log'
import { addressOf } from '../../openwhisk/client'
import { unschedule } from '../../openwhisk/schedule'
import { listRegistrations, readRegistration } from '../../storage/feeds'
import { type Batch, openBatch } from '../state/batch'
import { invokeAdvance } from '../state/hand-over'
import { openKey } from '../state/layout'
import { isConcluded, isLive, leaseTime } from '../state/lease'
import { deleteEntry, listOpenRuns, type OpenRun } from '../state/open'
import type { Context } from '../state/platform'
import { ensureScanning, isClosable, today } from '../uploads/day'
import { cleanUpRun } from './publish'
import { deliverDue } from './webhook'

/** An index entry whose run has not begun after this long is abandoned, milliseconds by the store's clock. */
const abandonedAfter = 60_000

/** Lists open batches that have work but no live lease. */
export async function findOrphans(context: Context): Promise<string[]> {
  const orphans: string[] = []
  for await (const entry of listOpenRuns(context.results)) {
    try {
      if (await isOrphan(entry, context)) orphans.push(entry.batch)
    } catch (thrown) {
      log.warn({ batch: entry.batch, reason: messageOf(thrown) }, 'an open batch could not be read')
    }
  }
  return [...new Set(orphans)]
}

async function isOrphan({ batch, run }: OpenRun, context: Context): Promise<boolean> {
  const document = openBatch(context, batch)
  const found = await document.read()
  if (found && (found.run > run || (found.run === run && isConcluded(found)))) {
    await cleanUpRun(found, run, context)
    return false
  }
  if (!found || (found.run < run && isConcluded(found))) {
    if (await isAbandoned(context.results, batch, run)) await deleteEntry(context.results, batch, run)
    return false
  }
  // After a failure the holder yields the lease and invokes a successor.
  const isAwaited = found.lease.phase === 'yielding' && document.age() <= leaseTime
  return !isAwaited && !isLive(found, document.age()) && hasWork(found, context.clock.now())
}

/** By the store's clock alone: this activation's may be ahead of the one about to begin the run. */
async function isAbandoned(results: Context['results'], batch: string, run: number): Promise<boolean> {
  const entry = await results.find(openKey(batch, run))
  return entry !== undefined && entry.servedAt - msOf(entry.lastModified) > abandonedAfter
}

/** Whether a batch has work. An open day without new uploads is idle. */
export const hasWork = (batch: Batch, now: number): boolean =>
  batch.kind === 'uploads' && batch.status === 'open'
    ? batch.lease.phase !== 'idle' || isClosable(batch.batch, now)
    : !isConcluded(batch)

/** Advances every orphaned batch and delivers due webhook messages. @returns the ids of those batches */
export async function resume(context: Context): Promise<string[]> {
  const resumed = await findOrphans(context)
  for (const batch of resumed) await invokeAdvance(context, batch)
  await deliverDue(context)
  return resumed
}

/** Advances orphaned batches, and scans the watched buckets for missed uploads. */
export async function reconcile(context: Context): Promise<Omit<Polled, 'message'>> {
  const resumed = await resume(context)
  const feeds = await listRegistrations(context.results)
  if (feeds.every(({ paused }) => paused)) return { resumed }
  return { resumed, batch: await ensureScanned(context) }
}

/** Ensures that the watched buckets are scanned. @returns the batch of the day */
async function ensureScanned(context: Context): Promise<string> {
  const batch = today(context)
  // The holder may have died a moment ago: another activation waits and takes over then.
  if (!(await ensureScanning(context, false))) await invokeAdvance(context, batch)
  return batch
}

/** The result of a poll. */
interface Polled {
  /** Batches that were resumed. */
  resumed: string[]
  /** The day's batch, which scans the buckets. */
  batch?: string
  /** Why nothing is scanned. */
  message?: string
}

/**
 * Scans a feed's bucket for uploads that notifications missed, as part of the day's batch. Resumes orphaned batches.
 * @param trigger of the feed: `/guest/image-uploaded`
 */
export async function poll(trigger: string, context: Context): Promise<Polled> {
  const resumed = await resume(context)
  const feed = await readRegistration(context.results, trigger)
  if (!feed) {
    log.info({ trigger }, 'the feed of the trigger no longer exists')
    await unschedule(addressOf(context.activation, context.settings), trigger)
    return { resumed, message: `No feed watches a bucket for ${trigger}` }
  }
  if (feed.paused) return { resumed, message: `The feed of ${trigger} is paused` }
  return { resumed, batch: await ensureScanned(context) }
}
