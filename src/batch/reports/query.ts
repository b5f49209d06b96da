import * as z from 'zod'
import type { Label } from '../../classifier/labels'
import { kindOf } from '../../labels/kinds'
import type { ImageRecord } from '../../schema'

const probability = 'expected a number from 0 to 1'
const day = 'expected a date such as 2026-05, 2026-05-31 or 2026-05-31T18:00'
const limit = 'expected a whole number from 1 to 1000'

const localTime = /^\d{4}(-(0[1-9]|1[0-2])(-(0[1-9]|[12]\d|3[01])(T([01]\d|2[0-3]):[0-5]\d(:[0-5]\d)?)?)?)?$/

/** What of a batch's records is asked for. */
export const querySchema = z.object({
  /** Part of the top label's names, or what it is a kind of: a WordNet id, or a name such as `dog`. */
  label: z.string().optional(),
  status: z.enum(['ok', 'error']).optional(),
  prefix: z.string().optional(),
  /** When photos were taken, by their cameras' clocks: a year, month, day or time; `takenUntil` includes all of it. */
  takenSince: z.string().regex(localTime, day).optional(),
  takenUntil: z.string().regex(localTime, day).optional(),
  /** Part of a camera's make and model. */
  camera: z.string().optional(),
  minProbability: z.coerce.number(probability).min(0, probability).max(1, probability).optional(),
  limit: z.coerce.number(limit).int(limit).min(1, limit).max(1000, limit).default(100),
})
export type ResultsQuery = z.infer<typeof querySchema>

/** Whether a record is asked for, the limit apart. */
export function matches({
  label,
  status,
  prefix,
  minProbability,
  takenSince,
  takenUntil,
  camera,
}: Omit<ResultsQuery, 'limit'>) {
  const isWanted = label === undefined ? () => true : isLabelled(label)
  const isTaken = takenBetween(takenSince, takenUntil)
  const make = camera?.toLowerCase()
  return (record: ImageRecord): boolean => {
    const top = record.labels[0]
    return (
      (status === undefined || record.status === status) &&
      (prefix === undefined || record.key.startsWith(prefix)) &&
      isWanted(top) &&
      isTaken(record.exif?.takenAt) &&
      (make === undefined || !!record.exif?.camera?.toLowerCase().includes(make)) &&
      (minProbability === undefined || (top?.probability ?? 0) >= minProbability)
    )
  }
}

/** Kinds come on top of parts of names: `dog` finds the beagle, and the dog sled all the same. */
function isLabelled(text: string): (label: Label | undefined) => boolean {
  const part = text.toLowerCase()
  const isKind = kindOf(text)
  return (label) =>
    label !== undefined &&
    // labels.json may show it under a name that is none of the model's.
    (`${label.label}, ${label.className}`.toLowerCase().includes(part) || isKind(label.wordnetId))
}

/** Times of the same form sort as text. What has no time was not taken between two. */
function takenBetween(since = '', until = ''): (takenAt: string | undefined) => boolean {
  if (since === '' && until === '') return () => true
  return (takenAt) => takenAt !== undefined && takenAt >= since && takenAt.slice(0, until.length) <= until
}
