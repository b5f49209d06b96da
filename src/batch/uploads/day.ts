import { isoOf, msOf } from '../../clock'
import { batchRequestSchema } from '../../schema'
import { type NextBatch, openBatch } from '../state/batch'
import { ensureAdvancing } from '../state/hand-over'
import { putEntry } from '../state/open'
import type { Context } from '../state/platform'
import { newBatch } from '../state/transitions'

/*
 * The images that arrive on one day (UTC) form a batch: what notifications tell of comes as arrivals, what they missed
 * is found by looks at the bucket, and the day is closed once it is over.
 */

const dayLength = 24 * 60 * 60 * 1000

/** So long after midnight, whatever began before it has reported, milliseconds. */
const grace = 15 * 60 * 1000

/** The batch of the day of a time, ISO 8601. */
export const uploadsBatch = (at: string): string => `uploads-${at.slice(0, 10)}`

/** Whether a batch is that of a day's uploads. */
export const isUploads = (batch: string): boolean => batch.startsWith('uploads-')

/** The midnight with which a day of uploads begins, ISO 8601. */
export const startOf = (batch: string): string => `${batch.slice('uploads-'.length)}T00:00:00.000Z`

/** Whether no further image belongs to a day. @param now milliseconds since the epoch */
export const isPast = (batch: string, now: number): boolean => now >= msOf(startOf(batch)) + dayLength

/** Whether a day can be closed: what was under way at its end has come. */
export const isOver = (batch: string, now: number): boolean => now >= msOf(startOf(batch)) + dayLength + grace

/** Makes the batch of a day, which no user fires. */
export const dayMaker = (context: Context, batch: string) => async (): Promise<NextBatch> => {
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

/** Makes sure that a day has a document, of which more is expected. */
export async function makeDay(batch: string, context: Context): Promise<void> {
  const document = openBatch(context, batch)
  if (await document.read()) return
  const made = await dayMaker(context, batch)()
  const expecting = { ...made, lease: { ...made.lease, expects: true } }
  await document.update((current) => (current ? undefined : expecting))
}

/** The uploads of today. */
export const today = ({ clock }: Pick<Context, 'clock'>): string => uploadsBatch(isoOf(clock.now()))

/**
 * Makes sure that the watched buckets are compared with the records.
 * @param expects more may come: it goes on for a while
 * @returns whether this activation has asked for another one; else the day has a live holder
 */
export function watchNow(context: Context, expects: boolean): Promise<boolean> {
  const day = today(context)
  return ensureAdvancing(context, day, { create: dayMaker(context, day), expects })
}
