import { putOnce } from '../storage/put-once'
import type { Bucket } from '../storage/store'
import { leaseKey } from './layout'

/** What `lease.json` says. */
interface Holder {
  activationId: string
  /** Milliseconds since the epoch; after it, anybody may take the lease. */
  until: number
}

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
  return found && { etag: found.etag, ...(JSON.parse(found.body.toString('utf8')) as Holder) }
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
  const write = (previous: string | null | undefined) =>
    previous === undefined
      ? undefined
      : putOnce(results, leaseKey(batch), JSON.stringify({ activationId, until }), previous)
  let etag = await write(holder ? holder.etag : null)
  if (etag === undefined) return undefined
  return {
    renew: async () => {
      // Two thirds are left for a slow store and a busy machine.
      if (Date.now() < until - (leaseTime * 2) / 3) return etag !== undefined
      until = Date.now() + leaseTime
      etag = await write(etag)
      return etag !== undefined
    },
    release: async () => {
      until = 0
      await write(etag)
      etag = undefined
    },
  }
}
