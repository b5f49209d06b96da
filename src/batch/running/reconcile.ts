import { msOf } from '../../clock'
import { messageOf } from '../../errors'
import { log } from '../../log'
import { addressOf } from '../../openwhisk/client'
import { unschedule } from '../../openwhisk/schedule'
import { listRegistrations, readRegistration } from '../../storage/feeds'
import { type Batch, openBatch } from '../state/batch'
import { invokeAdvance } from '../state/hand-over'
import { openKey } from '../state/layout'
import { isLive, isSettled, leaseTime } from '../state/lease'
import { deleteEntry, listOpenRuns, type OpenRun } from '../state/open'
import type { Context } from '../state/platform'
import { isOver, today, watchNow } from '../uploads/day'
import { dropTraces } from './publish'
import { deliverDue } from './webhook'

/** An entry whose run does not begin for so long has none, milliseconds by the store's clock. */
const stillborn = 60_000

/** The open batches that have no live lease holder, though there is something to be done. */
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
  if (found && (found.run > run || (found.run === run && isSettled(found)))) {
    await dropTraces(found, run, context)
    return false
  }
  if (!found || (found.run < run && isSettled(found))) {
    if (await isStillborn(context.results, batch, run)) await deleteEntry(context.results, batch, run)
    return false
  }
  // One that failed gives the lease back, and asks for another activation.
  const isAwaited = found.lease.phase === 'yielding' && document.age() <= leaseTime
  return !isAwaited && !isLive(found, document.age()) && hasWork(found, context.clock.now())
}

/** The clock of this activation may be ahead of that of the one which is about to begin the run. */
async function isStillborn(results: Context['results'], batch: string, run: number): Promise<boolean> {
  const entry = await results.find(openKey(batch, run))
  return entry !== undefined && entry.servedAt - msOf(entry.lastModified) > stillborn
}

/** Whether something is to be done for a batch. A day of uploads rests while nothing comes. */
export const hasWork = (batch: Batch, now: number): boolean =>
  batch.kind === 'uploads' && batch.status === 'open'
    ? batch.lease.phase !== 'idle' || isOver(batch.batch, now)
    : !isSettled(batch)

/** Has every batch carried on that needs it, and delivers messages to the webhook that are due. @returns the ids of those batches */
export async function resume(context: Context): Promise<string[]> {
  const resumed = await findOrphans(context)
  for (const batch of resumed) await invokeAdvance(context, batch)
  await deliverDue(context)
  return resumed
}

/** Has every batch carried on that needs it, and the watched buckets looked through for what no notification told of. */
export async function reconcile(context: Context): Promise<Omit<Polled, 'message'>> {
  const resumed = await resume(context)
  const feeds = await listRegistrations(context.results)
  if (feeds.every(({ paused }) => paused)) return { resumed }
  return { resumed, batch: await lookThrough(context) }
}

/** Makes sure that the watched buckets are compared with the records. @returns the batch of the day */
async function lookThrough(context: Context): Promise<string> {
  const batch = today(context)
  // A holder that seems to live may have died a moment ago: an activation that waits for a sign of it tells.
  if (!(await watchNow(context, false))) await invokeAdvance(context, batch)
  return batch
}

/** What a look for what was missed has done. */
interface Polled {
  /** Batches that were carried on. */
  resumed: string[]
  /** The batch of the day, which looks through the buckets. */
  batch?: string
  /** Why nothing looks through it. */
  message?: string
}

/**
 * Has a feed's bucket compared with the records, for what its notifications missed: as one of the day's uploads, what is
 * found is classified. Carries on batches without a live lease holder.
 * @param trigger the feed's, `/guest/image-uploaded`
 */
export async function poll(trigger: string, context: Context): Promise<Polled> {
  const resumed = await resume(context)
  const feed = await readRegistration(context.results, trigger)
  if (!feed) {
    log.info({ trigger }, 'no bucket is watched for the trigger any more')
    await unschedule(addressOf(context.activation, context.settings), trigger)
    return { resumed, message: `No feed watches a bucket for ${trigger}` }
  }
  if (feed.paused) return { resumed, message: `The feed of ${trigger} is paused` }
  return { resumed, batch: await lookThrough(context) }
}
