import { randomUUID } from 'node:crypto'
import pLimit from 'p-limit'
import { StorageError } from '../../errors'
import { type BatchSummary, isClosed } from '../../schema'
import type { Bucket } from '../../storage/store'
import { batchFolder, leaseKey, summaryKey } from '../layout'
import { acquireLease, type Lease } from '../run/lease'
import { isMarked } from '../run/open'
import { readSummary } from '../summary/summary-object'
import { listBatches } from './results'

/** A batch that is over. */
export interface Ended extends Pick<BatchSummary, 'batch' | 'state'> {
  endedAt: string
  /** How many images it has outcomes of. */
  images: number
}

/** The batches that were closed, and ended before a time, by id. */
export async function endedBefore(results: Bucket, time: Date): Promise<Ended[]> {
  const atOnce = pLimit(16)
  const looks: Promise<Ended | undefined>[] = []
  for await (const batch of listBatches(results)) looks.push(atOnce(() => ifEnded(results, batch, time)))
  return (await Promise.all(looks)).filter((ended) => ended !== undefined)
}

async function ifEnded(results: Bucket, batch: string, time: Date): Promise<Ended | undefined> {
  const summary = await readSummary(results, batch)
  if (!summary || !isClosed(summary.state)) return undefined
  // One that was stopped by a failure has no last record; it ended when that was written down.
  const endedAt = summary.endedAt ?? (await results.head(summaryKey(batch)))?.lastModified
  if (endedAt === undefined || new Date(endedAt) >= time) return undefined
  // Closed, but its end has not been told yet, or it was just fired again.
  if (await isMarked(results, batch)) return undefined
  const { state, totals } = summary
  return { batch, state, endedAt, images: totals.ok + totals.error }
}

/** So many names are held, and deleted with one request. */
const keysAtOnce = 1000

/**
 * Removes all of a batch that ended before a time: its results and its plan, not the newest records of its images. The
 * summary goes last, so that an interrupted removal is found and finished by the next.
 * @returns how many objects there were; undefined when the batch has been fired again, and is left alone
 * @throws StorageError `batch_in_use` when somebody takes charge of it meanwhile
 */
export async function removeBatch(results: Bucket, batch: string, time: Date): Promise<number | undefined> {
  // Nobody is to begin it anew before all of it is gone.
  const lease = await acquireLease(results, batch, `prune-${randomUUID()}`)
  if (!lease) return undefined
  try {
    if (await ifEnded(results, batch, time)) return await removeObjects(results, batch, lease)
    await lease.release()
    return undefined
  } catch (thrown) {
    // The next one need not wait until it runs out.
    await lease.release().catch(() => {})
    throw thrown
  }
}

async function removeObjects(results: Bucket, batch: string, lease: Lease): Promise<number> {
  const last = [leaseKey(batch), summaryKey(batch)]
  let removed = last.length
  let keys: string[] = []
  const remove = async (): Promise<void> => {
    if (!(await lease.renew())) throw inUse(batch)
    await results.deleteAll(keys)
    removed += keys.length
    keys = []
  }
  for await (const { key } of results.list({ prefix: batchFolder(batch) })) {
    if (last.includes(key)) continue
    if (keys.push(key) === keysAtOnce) await remove()
  }
  await remove()
  for (const key of last) await results.delete(key)
  return removed
}

const inUse = (batch: string): StorageError =>
  new StorageError('batch_in_use', 409, `Somebody took charge of the batch "${batch}" while it was removed`, {
    hint: 'Prune again once it is over.',
  })
