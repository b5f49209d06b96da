import pLimit from 'p-limit'
import { msOf } from '../../clock'
import { StorageError } from '../../errors'
import { type BatchSummary, isClosed } from '../../schema'
import type { Bucket } from '../../storage/store'
import { acquire } from '../state/acquire'
import { batchFolder, documentKey, summaryKey } from '../state/layout'
import type { Lease, LeaseContext } from '../state/lease'
import { isListedOpen } from '../state/open'
import { listBatches } from './results'
import { readSummary } from './summary-object'

/** A batch that has ended. */
export interface Ended extends Pick<BatchSummary, 'batch' | 'state'> {
  endedAt: string
  /** Images with an outcome. */
  images: number
}

/** Lists closed batches that ended before a time, by id. @param time milliseconds since the epoch */
export async function endedBefore(results: Bucket, time: number): Promise<Ended[]> {
  const atOnce = pLimit(16)
  const reads: Promise<Ended | undefined>[] = []
  for await (const batch of listBatches(results)) reads.push(atOnce(() => ifEnded(results, batch, time)))
  return (await Promise.all(reads)).filter((ended) => ended !== undefined)
}

async function ifEnded(results: Bucket, batch: string, time: number): Promise<Ended | undefined> {
  const summary = await readSummary(results, batch)
  if (!summary || !isClosed(summary.state)) return undefined
  const endedAt = summary.endedAt ?? summary.startedAt
  // Its end may not be announced yet, or it was just fired again.
  if (msOf(endedAt) >= time || (await isListedOpen(results, batch))) return undefined
  const { state, totals } = summary
  return { batch, state, endedAt, images: totals.ok + totals.error }
}

/** Keys held in memory and deleted with one request. */
const keysAtOnce = 1000

/**
 * Removes a batch that ended before a time: its results and state, but not the newest records of its images. The
 * summary is deleted last, so that an interrupted removal is found and finished by the next.
 * @returns the number of objects; undefined when the batch was fired again and is kept
 * @throws BatchTakenOverError when another activation takes the lease meanwhile
 */
export async function removeBatch(
  context: LeaseContext,
  batch: string,
  time: number,
): Promise<number | undefined> {
  const { results } = context
  // While the lease is held, the batch cannot begin again.
  const lease = await acquire(context, batch, { isWorker: false, evenConcluded: true })
  if (!lease && (await results.head(documentKey(batch)))) return undefined
  try {
    if (await ifEnded(results, batch, time)) return await removeObjects(results, batch, lease)
    await lease?.release()
    return undefined
  } catch (thrown) {
    // So that the next removal need not wait for the lease to expire.
    await lease?.release().catch(() => {})
    throw thrown
  }
}

async function removeObjects(results: Bucket, batch: string, lease: Lease | undefined): Promise<number> {
  const last = [documentKey(batch), summaryKey(batch)]
  let removed = last.length
  let keys: string[] = []
  const remove = async (): Promise<void> => {
    await lease?.verify()
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

/** The error of a batch that is being removed, or was just announced and is still leased. */
export const inUse = (batch: string): StorageError =>
  new StorageError('batch_in_use', 409, `The batch "${batch}" is in use by another activation`, {
    retryable: true,
    hint: 'Try again in a moment.',
  })
