import pLimit from 'p-limit'
import { BatchTakenOverError } from '../../errors'
import { type Batch, type BatchDocument, isEnded, type NextBatch } from './batch'
import type { Context } from './platform'

/** What taking a lease requires. */
export type LeaseContext = Pick<Context, 'clock' | 'random' | 'results'> & {
  activation: Pick<Context['activation'], 'id'>
}

/** How long a lease is live after a write, milliseconds. */
export const leaseTime = 20_000

/**
 * Tolerance between the times of a response and of `lastModified`, which have a resolution of seconds. Milliseconds.
 */
export const margin = 2_000

/** How often a waiting holder renews its lease, milliseconds. */
const renewEvery = 3_000

/** An activation's lease on a batch. */
export interface Lease {
  epoch: number
  /** The batch as last read or written. */
  batch(): Batch
  /**
   * Changes the batch, and renews the lease if that is due.
   * @param change pure; undefined leaves the batch unchanged
   * @throws BatchTakenOverError when the lease is lost
   */
  save(change?: (batch: Batch) => NextBatch | undefined): Promise<Batch>
  /** Verifies the lease by writing. @throws BatchTakenOverError when it is lost */
  verify(): Promise<void>
  /** Offers the lease to the next worker, which takes it at once. @throws BatchTakenOverError when it is lost */
  offer(): Promise<void>
  /** Releases the lease with work left. Does nothing when it is lost. */
  release(): Promise<void>
  /**
   * Releases the lease unless there is more to do, or another activation has relied on it meanwhile.
   * @param findsMore checks once more for work
   * @returns false when the lease is kept
   */
  leave(findsMore: () => Promise<boolean>): Promise<boolean>
}

/** Whether a lease is live. @param age since the holder's last write, milliseconds */
export const isLive = ({ lease }: Pick<Batch, 'lease'>, age: number): boolean =>
  lease.holder !== null && age <= lease.duration + margin

/** Whether a batch has no work left until it is fired again. */
export const isConcluded = (batch: Batch): boolean => isEnded(batch) && batch.announced && !batch.queued

/** Creates the lease of the holder that took it. @param taken the batch as written by that holder */
export function leaseOf(
  { clock }: LeaseContext,
  document: BatchDocument,
  taken: Batch,
  holder: string,
): Lease {
  // Serialized: concurrent writes would see each other as another writer's.
  const serially = pLimit(1)
  const { epoch } = taken.lease
  let current = taken
  let renewedAt = clock.now()

  const isMine = (batch: Batch | undefined): batch is Batch =>
    batch?.lease.holder === holder && batch.lease.epoch === epoch

  const write = (change: (batch: Batch) => NextBatch | undefined): Promise<Batch> =>
    serially(async () => {
      // Measured from before the request, which may take long.
      const began = clock.now()
      let wrote = false
      const written = await document.update((batch) => {
        if (!isMine(batch)) throw new BatchTakenOverError(taken.batch)
        const next = change(batch)
        // Leaves two thirds of the lease for a slow store and a busy machine.
        wrote = next !== undefined || began - renewedAt > leaseTime / 3
        return wrote ? withBeat(next ?? batch) : undefined
      })
      if (written === undefined) throw new BatchTakenOverError(taken.batch)
      if (wrote) renewedAt = began
      current = written
      return written
    })

  const withLease = (changes: Partial<Batch['lease']>) => (batch: Batch) => ({
    ...batch,
    lease: { ...batch.lease, ...changes },
  })

  return {
    epoch,
    batch: () => current,
    save: (change = () => undefined) => write(change),
    verify: async () => {
      await write((batch) => batch)
    },
    offer: async () => {
      await write(withLease({ phase: 'yielding', expects: true }))
    },
    release: () => unlessTaken(write(withLease({ holder: null, phase: 'yielding', expects: true }))),
    leave: async (findsMore) => {
      await write(withLease({ phase: 'leaving' }))
      if (await findsMore()) {
        await write(withLease({ phase: 'working' }))
        return false
      }
      let isFree = true
      await unlessTaken(
        write((batch) => {
          // An activation that relied on this lease has set it back to work.
          isFree = batch.lease.phase === 'leaving'
          return isFree ? withLease({ holder: null, phase: 'idle', expects: false })(batch) : batch
        }),
      )
      return isFree
    },
  }
}

async function unlessTaken(write: Promise<unknown>): Promise<void> {
  try {
    await write
  } catch (thrown) {
    if (!(thrown instanceof BatchTakenOverError)) throw thrown
  }
}

const withBeat = (batch: NextBatch): NextBatch => ({
  ...batch,
  lease: { ...batch.lease, beat: batch.lease.beat + 1 },
})

/** Renews the lease while slow work is in progress. */
export async function whileHeld<T>(
  lease: Lease,
  { clock }: Pick<LeaseContext, 'clock'>,
  work: Promise<T>,
): Promise<T> {
  let isOver = false
  const over = Promise.allSettled([work]).then(() => {
    isOver = true
  })
  while (!isOver) {
    await Promise.race([over, clock.sleep(renewEvery)])
    if (!isOver) await lease.save()
  }
  return work
}
