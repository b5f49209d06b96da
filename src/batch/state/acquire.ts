import { type Batch, type BatchDocument, type NextBatch, openBatch } from './batch'
import { isLive, isSettled, type Lease, type LeaseContext, leaseOf, leaseTime, margin } from './lease'

/** How often a live lease is looked at by an activation that waits to see whether its holder lives, milliseconds. */
const watchEvery = 500

export interface AcquireOptions {
  /** Makes the batch where there is none. */
  create?(): Promise<NextBatch>
  /**
   * A worker takes a lease that is offered, and waits until a live holder has given a sign of life, or has not for too
   * long. For others a live lease is enough.
   */
  isWorker: boolean
  /** The lease is offered to the next worker from the beginning. */
  offers?: boolean
  /** Work may be left, or more may come: a holder that only looks at what is there is told so. */
  expects?: boolean
  /** Takes the lease of a batch too of which nothing is left to be done. */
  evenSettled?: boolean
}

/**
 * Takes the lease on a batch.
 * @returns undefined when another activation holds it and lives, or there is nothing to be done
 */
export async function acquire(
  context: LeaseContext,
  batch: string,
  { create, isWorker, offers = false, expects = false, evenSettled = false }: AcquireOptions,
): Promise<Lease | undefined> {
  const { clock, random, activation } = context
  const document = openBatch(context, batch)
  const holder = `${activation.id}.${Math.floor(random() * 2 ** 32).toString(16)}`
  const isNeeded = (found: Batch | undefined): boolean =>
    found ? evenSettled || !isSettled(found) : create !== undefined
  let watched: { sign: string; since: number } | undefined
  const isKept = (found: Batch): boolean => {
    if (!isLive(found, document.age()) || (isWorker && found.lease.phase === 'yielding')) return false
    // A holder that gives no sign is not believed for longer than its lease says, by the clock of this activation.
    return watched?.sign !== signOf(found) || clock.now() - watched.since <= found.lease.duration + margin
  }
  for (; ; await clock.sleep(watchEvery)) {
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

/** The batch in the hands of another holder, where it is still as it was seen. */
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
    // An offer may be that of one that only looks; a holder that died had more to do, if only to look once more.
    expects: expects || (before === 'yielding' ? expected : before !== 'idle'),
    watched: false,
  } as const
  // Whatever failed for another holder may be mended.
  return { ...batch, failure: undefined, lease }
}

/** Differs after each write of a holder, and after each takeover and release. */
const signOf = (batch: NextBatch | undefined): string =>
  batch ? `${batch.lease.holder} ${batch.lease.epoch} ${batch.lease.beat}` : ''

/** Tells a holder that it is relied on. @returns false where it has let go in the meantime */
async function isNudged(document: BatchDocument, expects: boolean): Promise<boolean> {
  const nudged = await document.update((current) => nudge(current, expects))
  return nudged !== undefined && nudged.lease.holder !== null
}

/** Puts a holder that is about to leave back to work, and tells one that only looks what to expect. */
function nudge(batch: Batch | undefined, expects: boolean): NextBatch | undefined {
  if (!batch || batch.lease.holder === null) return undefined
  const { lease } = batch
  const isNews = lease.phase === 'leaving' || (expects && !lease.expects)
  const phase = lease.phase === 'leaving' ? 'working' : lease.phase
  return isNews ? { ...batch, lease: { ...lease, phase, expects: expects || lease.expects } } : undefined
}
