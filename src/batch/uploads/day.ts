/*
 * The images that arrive on one day (UTC) form a batch without a plan: each activation adds a part, and the day is
 * closed once it is over.
 */

const dayLength = 24 * 60 * 60 * 1000

/** So long after midnight, whatever began before it has reported, milliseconds. */
const grace = 15 * 60 * 1000

/** The batch of the day on which a record's download began. */
export const uploadsBatch = (at: string): string => `uploads-${at.slice(0, 10)}`

/** Whether a batch is that of a day's uploads: it has no plan, and nobody in charge before the day is over. */
export const isUploads = (batch: string): boolean => batch.startsWith('uploads-')

/** The midnight with which a day of uploads begins, ISO 8601. */
export const startOf = (batch: string): string => `${batch.slice('uploads-'.length)}T00:00:00.000Z`

/** Whether the day before that of a batch can be closed. */
export const isDayBeforeOver = (batch: string, now: Date): boolean =>
  now.getTime() >= Date.parse(startOf(batch)) + grace

/** Whether a day of uploads can be closed: only what was long under way can still come. */
export const isOver = (batch: string, now: Date): boolean =>
  now.getTime() >= Date.parse(startOf(batch)) + dayLength + grace
