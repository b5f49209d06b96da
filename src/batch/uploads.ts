import { z } from 'zod'
import type { BatchSummary, ImageRecord } from '../schema'
import { putOnce } from '../storage/put-once'
import type { Bucket } from '../storage/store'
import { batchFolder, partsPrefix } from './layout'
import { fromJsonLines, toJsonLines } from './parts'
import { count, emptyTally, summarize, type Tally } from './summary'
import { writeSummary } from './summary-object'

/**
 * The images that arrive on one day (UTC) form a batch without a plan. Its summary is kept up to date by counting only
 * the parts that are new, and says `exact: false` while the day is open.
 */
export const uploadsBatch = (at: string): string => `uploads-${at.slice(0, 10)}`

/** Parts are named by time, yet one can appear after later ones: its activation began earlier and took longer. */
const latestArrival = 15 * 60 * 1000

/** Everything counted so far: parts up to `before` are all in, `recent` names those after it that are. */
const progressSchema = z.object({ before: z.string(), recent: z.array(z.string()), tally: z.custom<Tally>() })
type Progress = z.infer<typeof progressSchema>

const progressKey = (batch: string): string => `${batchFolder(batch)}progress.json`

const partName = (at: string, activationId: string): string =>
  `${at.replace(/[:.]/g, '-')}-${activationId}.jsonl`

/** Writes one activation's records as a part of each day they belong to. @returns the days' batches */
export async function writeUploadParts(
  results: Bucket,
  records: ImageRecord[],
  activationId: string,
): Promise<string[]> {
  const batches = [...new Set(records.map(({ at }) => uploadsBatch(at)))]
  for (const batch of batches) {
    const ofDay = records.filter(({ at }) => uploadsBatch(at) === batch)
    const at = ofDay[0]?.at ?? ''
    await results.put(partsPrefix(batch) + partName(at, activationId), toJsonLines(ofDay), {
      contentType: 'application/x-ndjson',
    })
  }
  return batches
}

/**
 * Counts the parts that are not counted yet and writes the summary. Several activations may do so at once: whoever
 * loses a race begins again with what the other wrote, so the last summary written is of the last count.
 */
export async function updateUploadsSummary(results: Bucket, batch: string): Promise<void> {
  const key = progressKey(batch)
  for (let race = 0; race < 20; race++) {
    const found = await results.find(key)
    const progress: Progress = found
      ? progressSchema.parse(JSON.parse(found.body.toString('utf8')))
      : { before: '', recent: [], tally: emptyTally() }
    const grew = await countNewParts(results, batch, progress)
    if (!grew && !found) return
    const etag = grew
      ? await putOnce(results, key, JSON.stringify(progress), found?.etag ?? null)
      : found?.etag
    if (!etag) continue
    // Also when nothing is new: whoever counted last may have died before this line.
    await writeSummary(results, openSummary(batch, progress.tally))
    if ((await results.head(key))?.etag === etag) return
  }
}

async function countNewParts(results: Bucket, batch: string, progress: Progress): Promise<boolean> {
  const known = new Set(progress.recent)
  let grew = false
  for await (const { key } of results.list({
    prefix: partsPrefix(batch),
    startAfter: progress.before || undefined,
  })) {
    if (known.has(key)) continue
    const records = fromJsonLines<ImageRecord>((await results.get(key)).body)
    for (const record of records) count(progress.tally, record)
    progress.recent.push(key)
    grew = true
  }
  const settled = partsPrefix(batch) + partName(new Date(Date.now() - latestArrival).toISOString(), '')
  progress.recent.sort()
  const old = progress.recent.filter((key) => key < settled)
  progress.before = old.at(-1) ?? progress.before
  progress.recent = progress.recent.filter((key) => key >= settled)
  return grew
}

function openSummary(batch: string, tally: Tally): BatchSummary {
  const total = tally.ok + tally.error
  return summarize(tally, {
    batch,
    state: 'running',
    listed: total,
    planned: total,
    skipped: 0,
    exact: false,
    startedAt: tally.first ?? `${batch.slice('uploads-'.length)}T00:00:00.000Z`,
  })
}
