import { type Batch, type BatchDocument, type NextBatch, openBatch } from './batch'
import { isConcluded, isLive, type Lease, type LeaseContext, leaseOf, leaseTime, margin } from './lease'

/** How often a waiting activation reads a live lease, milliseconds. */
const readEvery = 500

export interface AcquireOptions {
  /** Creates the batch if it does not exist. */
  create?(): Promise<NextBatch>
  /**
   * A worker takes an offered lease, and watches a live one until its holder renews it or it expires. Otherwise a live
   * lease is respected at once.
   */
  isWorker: boolean
  /** Offer the lease to the next worker at once. */
  offers?: boolean
  /** More work is expected; noted for a holder that only scans. */
  expects?: boolean
  /** Take the lease even if the batch has no work left. */
  evenConcluded?: boolean
}

/**
 * Takes the lease on a batch.
 * @returns undefined when another activation holds a live lease, or there is no work
 */
export async function acquire(
  context: LeaseContext,
  batch: string,
  { create, isWorker, offers = false, expects = false, evenConcluded: evenSettled = false }: AcquireOptions,
): Promise<Lease | undefined> {
  const { clock, random, activation } = context
  const document = openBatch(context, batch)
  const holder = `${activation.id}.${Math.floor(random() * 2 ** 32).toString(16)}`
  const isNeeded = (found: Batch | undefined): boolean =>
    found ? evenSettled || !isConcluded(found) : create !== undefined
  let watched: { sign: string; since: number } | undefined
  const isKept = (found: Batch): boolean => {
    if (!isLive(found, document.age()) || (isWorker && found.lease.phase === 'yielding')) return false
    // Measured by this activation's own clock: a holder's age by the store's clock may be off.
    return watched?.sign !== signOf(found) || clock.now() - watched.since <= found.lease.duration + margin
  }
  for (; ; await clock.sleep(readEvery)) {
    const found = await document.read()
    if (!isNeeded(found)) return undefined
    const sign = signOf(found)
    if (found && isKept(found) && (await isNudged(document, expects))) {
      watched ??= { sign, since: clock.now() }
      if (!isWorker || watched.sign !== sign) return undefined
      continue
    }
    const made = found ? undefined : await create?.()
    const taken = await document.update((current) => take(current ?? made, sign, { holder, offers, expects }))
    if (taken?.lease.holder === holder) return leaseOf(context, document, taken, holder)
    watched = undefined
  }
}

/** Takes the lease, unless the batch has changed since it was read. */
function take(
  batch: NextBatch | undefined,
  sign: string,
  { holder, offers, expects }: { holder: string; offers: boolean; expects: boolean },
): NextBatch | undefined {
  const isNew = sign === '' && batch?.lease.epoch === 0
  if (!batch || batch.lease.holder === holder || (!isNew && signOf(batch) !== sign)) return undefined
  const { epoch, beat, phase: before, expects: expected } = batch.lease
  const phase = offers ? 'yielding' : 'working'
  const lease = {
    holder,
    epoch: epoch + 1,
    beat: beat + 1,
    duration: leaseTime,
    phase,
    // An offer keeps its expectation. A holder that died had work left, if only another scan.
    expects: expects || (before === 'yielding' ? expected : before !== 'idle'),
    watched: false,
  } as const
  // The new holder starts without the failures of earlier ones.
  return { ...batch, failure: undefined, lease }
}

/** Changes with each write of a holder, each takeover and each release. */
const signOf = (batch: NextBatch | undefined): string =>
  batch ? `${batch.lease.holder} ${batch.lease.epoch} ${batch.lease.beat}` : ''

/** Tells a holder that it is relied on. @returns false if it has released the lease meanwhile */
async function isNudged(document: BatchDocument, expects: boolean): Promise<boolean> {
  const nudged = await document.update((current) => nudge(current, expects))
  return nudged !== undefined && nudged.lease.holder !== null
}

/** Sets a leaving holder back to work, and tells a scanning one to expect more. */
function nudge(batch: Batch | undefined, expects: boolean): NextBatch | undefined {
  if (!batch || batch.lease.holder === null) return undefined
  const { lease } = batch
  const isNews = lease.phase === 'leaving' || (expects && !lease.expects)
  const phase = lease.phase === 'leaving' ? 'working' : lease.phase
  return isNews ? { ...batch, lease: { ...lease, phase, expects: expects || lease.expects } } : undefined
}
