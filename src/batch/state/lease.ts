import pLimit from 'p-limit'
import { BatchTakenOverError } from '../../errors'
import { type Batch, type BatchDocument, isEnded, type NextBatch } from './batch'
import type { Context } from './platform'

/** What a lease is taken with. */
export type LeaseContext = Pick<Context, 'clock' | 'random' | 'results'> & {
  activation: Pick<Context['activation'], 'id'>
}

/** How long a holder that does not write is believed to live, milliseconds. */
export const leaseTime = 20_000

/** What the clocks of an answer and of `lastModified` may be apart: both tell seconds. Milliseconds. */
export const margin = 2_000

/** How often a holder that waits says that it is there, milliseconds. */
const signEvery = 3_000

/** The lease of one activation on one batch. */
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
  /** Offers the lease to the next worker, which takes it at once. @throws BatchTakenOverError when one has */
  offer(): Promise<void>
  /** Gives the lease back, though work is left. What another activation has taken stays as it is. */
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

/** Works on a batch as the holder that took it. @param taken the batch as this holder wrote it */
export function leaseOf(
  { clock }: LeaseContext,
  document: BatchDocument,
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

  const changed = (changes: Partial<Batch['lease']>) => (batch: Batch) => ({
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
      await write(changed({ phase: 'yielding', expects: true }))
    },
    release: () => unlessTaken(write(changed({ holder: null, phase: 'yielding', expects: true }))),
    leave: async (look) => {
      await write(changed({ phase: 'leaving' }))
      if (await look()) {
        await write(changed({ phase: 'working' }))
        return false
      }
      let isFree = true
      await unlessTaken(
        write((batch) => {
          // Who met the lease meanwhile has put it back to work.
          isFree = batch.lease.phase === 'leaving'
          return isFree ? changed({ holder: null, phase: 'idle', expects: false })(batch) : batch
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

const beaten = (batch: NextBatch): NextBatch => ({
  ...batch,
  lease: { ...batch.lease, beat: batch.lease.beat + 1 },
})

/** Waits for something that may take longer than a lease. */
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
    await Promise.race([over, clock.sleep(signEvery)])
    if (!isOver) await lease.save()
  }
  return work
}
