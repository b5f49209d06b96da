import pLimit from 'p-limit'
import { BatchTakenOverError } from '../../errors'
import type { Unstamped } from '../../storage/document'
import { type Batch, isEnded, type NextBatch, openBatch } from './batch'
import type { Context } from './platform'

/** What a lease is taken with. */
export type LeaseContext = Pick<Context, 'clock' | 'random' | 'results'> & {
  activation: Pick<Context['activation'], 'id'>
}

/** How long a holder that does not write is believed to live, milliseconds. */
export const leaseTime = 20_000

/** What the clocks of an answer and of `lastModified` may be apart: both tell seconds. Milliseconds. */
const margin = 2_000

/** How often a live lease is looked at by an activation that waits to see whether its holder lives, milliseconds. */
const watchEvery = 500

/** The charge of one activation over one batch. */
export interface Lease {
  epoch: number
  /** The batch as it was last read or written. */
  batch(): Batch
  /**
   * Changes the batch. Says also that the holder is still there: a change to nothing is written where that is due.
   * @param change pure; undefined leaves the batch as it is
   * @throws BatchTakenOverError when the lease is another activation's
   */
  save(change?: (batch: Batch) => NextBatch | undefined): Promise<Batch>
  /** Makes sure of the lease by a write. @throws BatchTakenOverError when it is another activation's */
  verify(): Promise<void>
  /** Gives the lease back. What another activation has taken stays as it is. */
  release(): Promise<void>
  /**
   * Gives the lease back unless there is more to do: an activation that met the lease may have relied on its holder.
   * @param look one more look; true where it finds something
   * @returns false when there is more to do, and the lease is kept
   */
  leave(look: () => Promise<boolean>): Promise<boolean>
}

/** Whether a holder is believed to live. @param age how long it has not written, milliseconds */
export const isLive = ({ lease }: Pick<Batch, 'lease'>, age: number): boolean =>
  lease.holder !== null && age <= lease.duration + margin

/** Whether there is nothing left to be done for a batch before it is fired again. */
export const isSettled = (batch: Batch): boolean => isEnded(batch) && batch.announced && !batch.queued

export interface AcquireOptions {
  /** Makes the batch where there is none. */
  create?(): Promise<NextBatch>
  /** Changes the batch when the lease is taken. */
  onTake?(batch: NextBatch): NextBatch
  /** Waits until a holder has given a sign of life, or has not for too long; else a live lease is enough. */
  waits: boolean
  /** Takes the lease of a batch too of which nothing is left to be done. */
  evenSettled?: boolean
}

/**
 * Puts this activation in charge of a batch.
 * @returns undefined when another activation is and lives, or there is nothing to be done
 */
export async function acquire(
  context: LeaseContext,
  batch: string,
  { create, onTake = (taken) => taken, waits, evenSettled = false }: AcquireOptions,
): Promise<Lease | undefined> {
  const { clock, random, activation } = context
  const document = openBatch(context, batch)
  const holder = `${activation.id}.${Math.floor(random() * 2 ** 32).toString(16)}`
  const attempt = async (sign: string, made: NextBatch | undefined): Promise<Lease | undefined> => {
    const taken = await document.update((current) => take(current ?? made, sign, holder, onTake))
    return taken?.lease.holder === holder ? leaseOf(context, document, taken, holder) : undefined
  }
  const isNeeded = (found: Batch | undefined): boolean =>
    found ? evenSettled || !isSettled(found) : create !== undefined
  const watch = openWatch(clock)
  for (; ; await clock.sleep(watchEvery)) {
    const found = await document.read()
    if (!isNeeded(found)) return undefined
    const sign = signOf(found)
    if (found && isLive(found, document.age()) && !watch.isSilent(found)) {
      await document.update((current) => nudge(current, sign))
      if (!waits || watch.hasGivenSign(found)) return undefined
      continue
    }
    const taken = await attempt(sign, found ? undefined : await create?.())
    if (taken) return taken
    watch.reset()
  }
}

/** Watches for signs of life of a holder, which looks once more before it leaves. */
function openWatch(clock: LeaseContext['clock']) {
  let watched: { sign: string; since: number } | undefined
  return {
    reset: () => {
      watched = undefined
    },
    /** Whether it has not written for as long as its lease says, by the clock of the one who watches. */
    isSilent: (batch: Batch): boolean =>
      watched?.sign === signOf(batch) && clock.now() - watched.since > batch.lease.duration + margin,
    hasGivenSign: (batch: Batch): boolean => {
      watched ??= { sign: signOf(batch), since: clock.now() }
      return watched.sign !== signOf(batch)
    },
  }
}

/** The batch in the hands of another holder, where it is still as it was seen. */
function take(
  batch: NextBatch | undefined,
  sign: string,
  holder: string,
  onTake: (batch: NextBatch) => NextBatch,
): NextBatch | undefined {
  const isNew = sign === '' && batch?.lease.epoch === 0
  if (!batch || batch.lease.holder === holder || (!isNew && signOf(batch) !== sign)) return undefined
  return onTake(held(batch, holder))
}

/** Differs after each write of a holder, and after each takeover and release. */
const signOf = (batch: NextBatch | undefined): string =>
  batch ? `${batch.lease.holder} ${batch.lease.epoch} ${batch.lease.beat}` : ''

/** Tells a holder that is about to leave that it was relied on. */
const nudge = (batch: Batch | undefined, sign: string): NextBatch | undefined =>
  batch?.lease.leaving && signOf(batch) === sign && !batch.nudged ? { ...batch, nudged: true } : undefined

const held = (batch: NextBatch, holder: string | null): NextBatch => {
  const { epoch, beat } = batch.lease
  const lease = { holder, epoch: epoch + 1, beat: beat + 1, duration: leaseTime, leaving: false }
  return { ...batch, nudged: false, lease }
}

function leaseOf(
  { clock }: LeaseContext,
  document: ReturnType<typeof openBatch>,
  taken: Batch,
  holder: string,
): Lease {
  // Two writes at once would each take the other's for that of another writer.
  const oneByOne = pLimit(1)
  const { epoch } = taken.lease
  let current = taken
  let renewedAt = clock.now()

  const isMine = (batch: Batch | undefined): batch is Batch =>
    batch?.lease.holder === holder && batch.lease.epoch === epoch

  const write = (change: (batch: Batch) => NextBatch | undefined): Promise<Batch> =>
    oneByOne(async () => {
      // From before the request: its answer may take long.
      const began = clock.now()
      let wrote = false
      const written = await document.update((batch) => {
        if (!isMine(batch)) throw new BatchTakenOverError(taken.batch)
        const next = change(batch)
        // Two thirds of the lease are left for a slow store and a busy machine.
        wrote = next !== undefined || began - renewedAt > leaseTime / 3
        return wrote ? beaten(next ?? batch) : undefined
      })
      if (written === undefined) throw new BatchTakenOverError(taken.batch)
      if (wrote) renewedAt = began
      current = written
      return written
    })

  async function release(isNudgedToo: boolean): Promise<boolean> {
    let isFree = false
    try {
      await write((batch) => {
        isFree = isNudgedToo || !batch.nudged
        const lease = { ...batch.lease, leaving: false, ...(isFree && { holder: null }) }
        return { ...batch, nudged: false, lease }
      })
    } catch (thrown) {
      if (!(thrown instanceof BatchTakenOverError)) throw thrown
      return true
    }
    return isFree
  }

  return {
    epoch,
    batch: () => current,
    save: (change = () => undefined) => write(change),
    verify: async () => {
      await write((batch) => batch)
    },
    release: async () => {
      await release(true)
    },
    leave: async (look) => {
      await write((batch) => ({ ...batch, lease: { ...batch.lease, leaving: true } }))
      if (!(await look())) return release(false)
      await write((batch) => ({ ...batch, nudged: false, lease: { ...batch.lease, leaving: false } }))
      return false
    },
  }
}

const beaten = (batch: Unstamped<Batch>): NextBatch => ({
  ...batch,
  lease: { ...batch.lease, beat: batch.lease.beat + 1 },
})

/** How often a holder that waits says that it is there, milliseconds. */
const signEvery = 3_000

/** Waits for something that may take longer than a lease. */
export async function whileHeld<T>(
  lease: Lease,
  { clock }: Pick<LeaseContext, 'clock'>,
  work: Promise<T>,
): Promise<T> {
  let isOver = false
  const over = work.then(
    () => (isOver = true),
    () => (isOver = true),
  )
  while (!isOver) {
    await Promise.race([over, clock.sleep(signEvery)])
    if (!isOver) await lease.save()
  }
  return work
}
