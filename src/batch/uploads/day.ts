import { isoOf, msOf } from '../../clock'
import { batchRequestSchema } from '../../schema'
import { type NextBatch, openBatch } from '../state/batch'
import { ensureAdvancing } from '../state/hand-over'
import { putEntry } from '../state/open'
import type { Context } from '../state/platform'
import { newBatch } from '../state/transitions'

/*
 * The uploads of one day (UTC) form a batch. Notified images come as arrivals, missed ones are found by scanning the
 * buckets, and the batch closes after the day is over.
 */

const dayLength = 24 * 60 * 60 * 1000

/** How long after midnight activations of the day may still report, milliseconds. */
const grace = 15 * 60 * 1000

/** The batch of a day. @param at ISO 8601 */
export const uploadsBatch = (at: string): string => `uploads-${at.slice(0, 10)}`

/** Whether a batch holds a day's uploads. */
export const isUploads = (batch: string): boolean => batch.startsWith('uploads-')

/** Midnight at the start of a day of uploads, ISO 8601. */
export const startOf = (batch: string): string => `${batch.slice('uploads-'.length)}T00:00:00.000Z`

/** Whether the day has ended. @param now milliseconds since the epoch */
export const hasEnded = (batch: string, now: number): boolean => now >= msOf(startOf(batch)) + dayLength

/** Whether a day can be closed: it has ended, and its activations have reported. */
export const isClosable = (batch: string, now: number): boolean =>
  now >= msOf(startOf(batch)) + dayLength + grace

/** Creates the batch of a day, which users cannot fire. */
export const dayCreator = (context: Context, batch: string) => async (): Promise<NextBatch> => {
  await putEntry(context.results, batch, 1)
  return newBatch({
    batch,
    kind: 'uploads',
    request: batchRequestSchema.parse({}),
    requestId: context.activation.id,
    bucket: context.settings.imagesBucket,
    startedAt: startOf(batch),
  })
}

/** Ensures that a day has a document, and marks that more is expected. */
export async function ensureDay(batch: string, context: Context): Promise<void> {
  const document = openBatch(context, batch)
  if (await document.read()) return
  const made = await dayCreator(context, batch)()
  const expecting = { ...made, lease: { ...made.lease, expects: true } }
  await document.update((current) => (current ? undefined : expecting))
}

/** The batch of today. */
export const today = ({ clock }: Pick<Context, 'clock'>): string => uploadsBatch(isoOf(clock.now()))

/**
 * Ensures that the watched buckets are being scanned.
 * @param expects more uploads are expected: keep scanning for a while
 * @returns whether this activation invoked another one; otherwise the day has a live holder
 */
export function ensureScanning(context: Context, expects: boolean): Promise<boolean> {
  const day = today(context)
  return ensureAdvancing(context, day, { create: dayCreator(context, day), expects })
}
