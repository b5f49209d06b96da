import { setTimeout as sleep } from 'node:timers/promises'
import type { Bucket } from '../../storage/store'
import { isDayBeforeOver } from './day'
import type { UploadsPart } from './parts'
import { type Progress, readProgress, saveProgress } from './progress'

/** How long whoever is about to have the days before closed is believed to live, milliseconds. */
const sweepTime = 60_000

/** Longest pause after a lost race, milliseconds. */
const pause = 200

/** Whether nobody has had the days before that of a batch closed, though they are over. */
export const areLeftOpen = ({ swept, sweeper }: Progress, batch: string): boolean =>
  !swept && isDayBeforeOver(batch, new Date()) && Math.abs(Date.now() - (sweeper?.at ?? 0)) >= sweepTime

/**
 * Has the days before closed, once a day: noted only when it is done, so that another activation does it where this one
 * fails or dies.
 * @param reconcile sends whoever closes them
 */
export async function closeDaysBefore(
  results: Bucket,
  { batch, name: by }: UploadsPart,
  reconcile: () => Promise<unknown>,
): Promise<void> {
  const isMine = await note(results, batch, (progress) =>
    areLeftOpen(progress, batch) ? { ...progress, sweeper: { by, at: Date.now() } } : undefined,
  )
  if (!isMine) return
  await reconcile()
  await note(results, batch, (progress) => ({ ...progress, swept: true, sweeper: undefined }))
}

/** @returns whether there was something to change */
async function note(
  results: Bucket,
  batch: string,
  change: (progress: Progress) => Progress | undefined,
): Promise<boolean> {
  for (;;) {
    const { progress, etag } = await readProgress(results, batch)
    const changed = change(progress)
    if (!changed) return false
    if ((await saveProgress(results, batch, { progress: changed, etag })) !== undefined) return true
    await sleep(Math.random() * pause)
  }
}
