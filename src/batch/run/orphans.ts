import { messageOf } from '../../errors'
import { log } from '../../log'
import type { OpenWhisk } from '../../openwhisk/client'
import type { Bucket } from '../../storage/store'
import { isOver, isUploads } from '../uploads/day'
import { isAbandoned } from './lease'
import { listOpen } from './open'

/** The open batches that nobody is in charge of. A day of uploads needs nobody before it is over. */
export async function findOrphans(results: Bucket): Promise<string[]> {
  const orphans: string[] = []
  for await (const batch of listOpen(results)) {
    try {
      if (isUploads(batch) && !isOver(batch, new Date())) continue
      if (await isAbandoned(results, batch)) orphans.push(batch)
    } catch (thrown) {
      log.warn({ batch, reason: messageOf(thrown) }, 'an open batch could not be looked at')
    }
  }
  return orphans
}

/**
 * Has every batch carried on that nobody is in charge of: its activations died, or the day of its uploads is over.
 * @param action full name of `start-batch`
 * @returns the ids of those batches
 */
export async function reconcile(
  results: Bucket,
  openwhisk: OpenWhisk,
  action: string,
): Promise<{ resumed: string[] }> {
  const resumed = await findOrphans(results)
  for (const batch of resumed) await openwhisk.invoke(action, { batch, resume: true })
  return { resumed }
}
