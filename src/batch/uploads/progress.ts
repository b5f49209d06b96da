import * as z from 'zod'
import { putOnce } from '../../storage/put-once'
import type { Bucket } from '../../storage/store'
import { batchFolder } from '../layout'
import { count, countUsage, emptyTally, type Tally } from '../summary/summary'
import { partNameAt, type UploadsPart } from './parts'

/**
 * A part is named when its writing begins, and may appear so much later: it takes time, and clocks differ. A part that
 * takes longer yet is left out of the open day's counts; closing reads all there is. Milliseconds.
 */
const latestArrival = 30_000

/** How long parts that their own writers do not count may stay uncounted, milliseconds. */
const listEvery = 10_000

/** How long whoever counts for all is believed to live, milliseconds. */
const claimTime = 5_000

/** Who is about to do something for all, by the name of a part, and since when, milliseconds since the epoch. */
const claimSchema = z.object({ by: z.string(), at: z.number() })

/** `progress.json` of a day of uploads: what of it is counted. Only ever replaced by who has read it. */
const progressSchema = z.object({
  /** Of the parts named before this all are counted, of later ones those in `recent`. */
  before: z.string(),
  recent: z.array(z.string()),
  /** How many parts are counted. */
  parts: z.int(),
  tally: z.custom<Tally>(),
  /** The writer of which part is about to count the parts of all. */
  claim: claimSchema.optional(),
  /** What the day's GB-seconds are counted with: whoever closes it must come to the same cost. */
  gbSecondPrice: z.number().nonnegative().optional(),
  /** Somebody was sent to close the days before; or is about to be, by the writer of which part. */
  swept: z.boolean().optional(),
  sweeper: claimSchema.optional(),
  /** The day's results are written, and no part was counted since. */
  closed: z.boolean().optional(),
})
export type Progress = z.infer<typeof progressSchema>

const progressKey = (batch: string): string => `${batchFolder(batch)}progress.json`

/** How far a day's uploads are counted, and the version that says so; null while there is none. */
export interface ReadProgress {
  progress: Progress
  etag: string | null
}

export async function readProgress(results: Bucket, batch: string): Promise<ReadProgress> {
  const found = await results.find(progressKey(batch))
  if (!found) return { progress: { before: '', recent: [], parts: 0, tally: emptyTally() }, etag: null }
  return { progress: progressSchema.parse(JSON.parse(found.body.toString('utf8'))), etag: found.etag }
}

/** @returns the new version, or undefined when somebody else was faster */
export const saveProgress = (
  results: Bucket,
  batch: string,
  { progress, etag }: ReadProgress,
): Promise<string | undefined> => putOnce(results, progressKey(batch), JSON.stringify(progress), etag)

/** Whether nobody has counted, or closed, since that version was there. */
export const isLatest = async (results: Bucket, batch: string, etag: string): Promise<boolean> =>
  (await results.head(progressKey(batch)))?.etag === etag

export const isCounted = ({ before, recent }: Progress, { name }: UploadsPart): boolean =>
  name < before || recent.includes(name)

/**
 * Counts those of some parts that are not counted yet. If they are all that a listing has shown, made under the claim of
 * one of them, the names are forgotten that nothing new can precede.
 */
export function countParts(progress: Progress, parts: UploadsPart[], own: UploadsPart): void {
  for (const part of parts) {
    if (isCounted(progress, part)) continue
    for (const record of part.records) count(progress.tally, record)
    if (part.usage) countUsage(progress.tally, part.usage)
    progress.recent.push(part.name)
    progress.parts++
  }
  if (progress.claim?.by === own.name) settle(progress, progress.claim.at - latestArrival)
  progress.claim = undefined
}

function settle(progress: Progress, time: number): void {
  const before = partNameAt(time)
  if (before <= progress.before) return
  progress.before = before
  progress.recent = progress.recent.filter((name) => name >= before)
}

/** Whether the parts should be listed again: somebody may have died before counting one. */
export const isListingDue = ({ before }: Progress): boolean =>
  before < partNameAt(Date.now() - latestArrival - listEvery)

/** Whether somebody else is about to count all parts. */
export function isClaimed({ claim }: Progress, own: UploadsPart): boolean {
  const age = Date.now() - (claim?.at ?? 0)
  return claim !== undefined && claim.by !== own.name && age >= 0 && age < claimTime
}

/** Makes the others wait while the parts of all are read. @returns undefined when somebody else was faster */
export function claim(results: Bucket, own: UploadsPart, found: ReadProgress): Promise<string | undefined> {
  found.progress.claim = { by: own.name, at: Date.now() }
  return saveProgress(results, own.batch, found)
}
