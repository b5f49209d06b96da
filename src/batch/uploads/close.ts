import * as z from 'zod'
import { BatchTakenOverError } from '../../errors'
import { type BatchSummary, isClosed } from '../../schema'
import type { Bucket } from '../../storage/store'
import type { Outcome } from '../close/passes'
import { type CloseOptions, type Source, writeResults } from '../close/write-results'
import { comparePositions } from '../results/cursor'
import { summarize } from '../summary/summary'
import { readSummary, writeSummary } from '../summary/summary-object'
import { startOf } from './day'
import { isLatest, readProgress, saveProgress } from './progress'
import { openUploads } from './read'
import { sortNextRun } from './runs'

/**
 * Closes the uploads of a day: writes the newest record of each image to `results.jsonl`, `results.csv` and
 * `errors.jsonl`, and then the final `summary.json`. All of it follows from the parts; a part that comes later opens
 * the day again, to be closed once more.
 * @returns undefined when time was up: the next call goes on
 * @throws BatchTakenOverError when `stillThere` says no
 */
export async function closeUploads(
  results: Bucket,
  batch: string,
  options: CloseOptions = {},
): Promise<BatchSummary | undefined> {
  for (;;) {
    const { progress, etag } = await readProgress(results, batch)
    const standing = await readSummary(results, batch)
    if (progress.closed && standing && isClosed(standing.state)) return standing
    if (!(await sortAll(results, batch, options))) return undefined
    const written = await writeResults(results, await sourceOf(results, batch, etag), options)
    if (!written) return undefined
    const { tally } = written
    const saved = await saveProgress(results, batch, { progress: { ...progress, closed: true }, etag })
    // A part was counted meanwhile, and the files may be without it.
    if (!saved) continue
    const images = tally.ok + tally.error
    const summary = summarize(tally, {
      batch,
      state: 'complete',
      listed: images,
      planned: images,
      skipped: 0,
      exact: true,
      startedAt: tally.first ?? startOf(batch),
      gbSecondPrice: progress.gbSecondPrice,
    })
    await writeSummary(results, summary)
    if (await isLatest(results, batch, saved)) return summary
  }
}

/** Sorts what its day had no occasion to. @returns false when time was up */
async function sortAll(
  results: Bucket,
  batch: string,
  { stopAt = Number.POSITIVE_INFINITY, stillThere, now = Date.now }: CloseOptions,
): Promise<boolean> {
  while (await sortNextRun(results, batch)) {
    if ((await stillThere?.()) === false) throw new BatchTakenOverError(batch)
    if (now() >= stopAt) return false
  }
  return true
}

/** How far a closing has read: the last image that is written, and where in each run that was. */
const reachedSchema = z.object({
  last: z.object({ key: z.string(), bucket: z.string() }).optional(),
  offsets: z.array(z.int()),
})
type Reached = z.infer<typeof reachedSchema>

/** @param counted the version of what is counted */
async function sourceOf(results: Bucket, batch: string, counted: string | null): Promise<Source<Reached>> {
  const { state, usage, read } = await openUploads(results, batch)
  return {
    batch,
    state: `${counted} ${state}`,
    position: reachedSchema,
    open: async (tally, from) => {
      tally.usage = usage
      const { records, offsets } = read(from?.offsets)
      let last = from?.last
      return {
        outcomes: async function* (): AsyncGenerator<Outcome> {
          for await (const record of records) {
            if (last && comparePositions(record, last) <= 0) continue
            last = { key: record.key, bucket: record.bucket }
            yield { record }
          }
        },
        position: () => ({ last, offsets: offsets() }),
      }
    },
  }
}
