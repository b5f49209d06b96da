import { InvalidInputError } from '../../errors'
import { type BatchSummary, isClosed } from '../../schema'
import type { Bucket } from '../../storage/store'
import { announce, type Tell } from '../run/announce'
import { awaitLease, whileHolding } from '../run/lease'
import { isMarked, markOpen } from '../run/open'
import { readSummary } from '../summary/summary-object'
import { closeUploads } from './close'
import { isOver } from './day'

export interface DayContext {
  results: Bucket
  activationId: string
  /** Milliseconds since the epoch. */
  stopAt: number
  tell: Tell
  /** Has another activation go on. */
  goOn(): Promise<unknown>
}

/**
 * Closes the uploads of a day that is over, and tells of it. A day that is closed already is left as it is.
 * @returns its summary as it stands when this activation ends
 * @throws InvalidInputError when there is no such day, or it is not over
 */
export async function closeDay(
  batch: string,
  { results, activationId, stopAt, tell, goOn }: DayContext,
): Promise<BatchSummary> {
  const standing = async (): Promise<BatchSummary> => {
    const summary = await readSummary(results, batch)
    if (summary) return summary
    throw new InvalidInputError(`There is no batch "${batch}"`)
  }
  if (!isOver(batch, new Date())) throw new InvalidInputError(`The day of "${batch}" is not over`)
  const isDone = async () => !(await isMarked(results, batch))
  const lease = (await isDone()) ? undefined : await awaitLease(results, batch, activationId, isDone)
  if (!lease) return standing()
  return whileHolding(lease, async () => {
    if (await isDone()) return standing()
    const summary = await closeUploads(results, batch, { stopAt, stillThere: lease.renew })
    if (!summary) {
      await goOn()
      return standing()
    }
    await announce(results, summary, tell)
    // A part that came while the end was being told has opened the day again, and its marker is gone.
    const now = await standing()
    if (!isClosed(now.state)) await markOpen(results, batch)
    return now
  })
}
