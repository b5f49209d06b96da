import { setTimeout as sleep } from 'node:timers/promises'
import pLimit from 'p-limit'
import * as z from 'zod'
import { WhisklensError } from '../../errors'
import { putOnce } from '../../storage/put-once'
import type { Bucket } from '../../storage/store'
import { leaseKey } from '../layout'

/** What `lease.json` says. */
const holderSchema = z.object({
  activationId: z.string(),
  /** Milliseconds since the epoch; after it, anybody may take the lease. */
  until: z.number(),
})

/** How long a holder that does not renew its lease is believed to live, milliseconds. */
export const leaseTime = 20_000

/** One activation's charge of a batch. */
export interface Lease {
  /** Says that the holder is still there. @returns false when the lease was lost */
  renew(): Promise<boolean>
  release(): Promise<void>
}

async function readHolder(results: Bucket, batch: string) {
  const found = await results.find(leaseKey(batch))
  if (!found) return undefined
  const { etag, lastModified, body } = found
  return { etag, lastModified, ...holderSchema.parse(JSON.parse(body.toString('utf8'))) }
}

/**
 * Whether nobody is in charge of a batch. `died` tells of a holder that went without giving its lease back; `free`
 * lasts for a moment at each hand-over, too.
 */
export async function stateOfLease(results: Bucket, batch: string): Promise<'held' | 'free' | 'died'> {
  const holder = await readHolder(results, batch)
  if (!holder || holder.until === 0) return 'free'
  return holder.until > Date.now() ? 'held' : 'died'
}

/**
 * Whether an open batch needs somebody to carry it on: its holder died, or gave it back longer ago than a hand-over
 * takes.
 */
export async function isAbandoned(results: Bucket, batch: string): Promise<boolean> {
  const holder = await readHolder(results, batch)
  if (holder?.until === 0) return Date.now() - Date.parse(holder.lastModified) > leaseTime
  return !holder || holder.until <= Date.now()
}

/**
 * Puts one activation in charge of a batch.
 * @returns undefined when another activation is
 */
export async function acquireLease(
  results: Bucket,
  batch: string,
  activationId: string,
): Promise<Lease | undefined> {
  const holder = await readHolder(results, batch)
  if (holder && holder.until > Date.now()) return undefined
  let until = Date.now() + leaseTime
  const write = (end: number, previous: string | null | undefined) =>
    previous === undefined
      ? undefined
      : putOnce(results, leaseKey(batch), JSON.stringify({ activationId, until: end }), previous)
  let etag = await write(until, holder ? holder.etag : null)
  if (etag === undefined) return undefined
  // Two writes at once would each take the other's for that of another holder.
  const oneByOne = pLimit(1)
  return {
    renew: () =>
      oneByOne(async () => {
        // Two thirds are left for a slow store and a busy machine.
        if (Date.now() < until - (leaseTime * 2) / 3) return etag !== undefined
        const end = Date.now() + leaseTime
        etag = await write(end, etag)
        // Only now: after a failure, it runs out when it would have.
        until = end
        return etag !== undefined
      }),
    release: () =>
      oneByOne(async () => {
        await write(0, etag)
        etag = undefined
      }),
  }
}

/**
 * Puts an activation in charge of a batch that somebody else may still be in charge of, or may have died in charge of.
 * @param isOver whether there is nothing to wait for any more
 * @returns undefined when it was over, or somebody else stayed in charge
 */
export async function awaitLease(
  results: Bucket,
  batch: string,
  activationId: string,
  isOver: () => Promise<boolean> = async () => false,
): Promise<Lease | undefined> {
  for (const end = Date.now() + 2 * leaseTime; Date.now() < end; await sleep(leaseTime / 10)) {
    const taken = await acquireLease(results, batch, activationId)
    if (taken || (await isOver())) return taken
  }
  return undefined
}

/**
 * Gives a lease back once the work is done, or has failed for good. A failure that may pass looks like a death to
 * everybody else, and so somebody carries on when the lease runs out.
 */
export async function whileHolding<T>(lease: Lease, work: () => Promise<T>): Promise<T> {
  let isOver = true
  try {
    return await work()
  } catch (thrown) {
    isOver = thrown instanceof WhisklensError && !thrown.retryable
    throw thrown
  } finally {
    if (isOver) await lease.release()
  }
}
