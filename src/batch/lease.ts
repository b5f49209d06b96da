import { StorageError } from '../errors'
import type { Bucket } from '../storage/store'
import { leaseKey } from './layout'

interface Lease {
  activationId: string
  /** Milliseconds since the epoch; after it, anybody may take the lease. */
  until: number
}

const isLost = (thrown: unknown): boolean =>
  thrown instanceof StorageError && thrown.code === 'precondition_failed'

/**
 * Puts one activation in charge of a batch.
 * @returns a function that gives the lease back, or undefined when another activation holds it
 */
export async function acquireLease(
  results: Bucket,
  batch: string,
  lease: Lease,
): Promise<(() => Promise<void>) | undefined> {
  const key = leaseKey(batch)
  const body = JSON.stringify(lease)
  const found = await results.find(key)
  if (found && (JSON.parse(found.body.toString('utf8')) as Lease).until > Date.now()) return undefined
  const etag = await results.put(key, body, { replaces: found ? found.etag : null }).catch(async (thrown) => {
    if (!isLost(thrown)) throw thrown
    // A request whose answer got lost is sent again, and then meets what it wrote itself.
    const holder = await results.find(key)
    return holder?.body.toString('utf8') === body ? holder.etag : undefined
  })
  if (etag === undefined) return undefined
  return async () => {
    await results.put(key, JSON.stringify({ ...lease, until: 0 }), { replaces: etag }).catch((thrown) => {
      if (!isLost(thrown)) throw thrown
    })
  }
}
