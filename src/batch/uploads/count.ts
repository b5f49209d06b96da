import { setTimeout as sleep } from 'node:timers/promises'
import { readAhead } from '../../read-ahead'
import { type BatchSummary, isClosed } from '../../schema'
import type { Bucket } from '../../storage/store'
import { markOpen } from '../run/open'
import { summarize } from '../summary/summary'
import { writeSummary } from '../summary/summary-object'
import { startOf } from './day'
import { areLeftOpen } from './days-before'
import { type ListedPart, listUploadParts, readUploadPart, type UploadsPart } from './parts'
import {
  claim,
  countParts,
  isClaimed,
  isCounted,
  isListingDue,
  type Progress,
  readProgress,
  saveProgress,
} from './progress'
import { partsAhead, runLimits, sortNextRun } from './runs'

/** So many races are lost before one activation counts for all. */
const racesAlone = 2

/** Pauses after lost races double, jittered, milliseconds. */
const firstPause = 20
const longestPause = 500

/** After about so many records there are enough bytes for a run, however few parts they are. */
const recordsPerRun = 10_000

/**
 * Counts a part that was just written and brings the open day's summary up to date. Many activations do so at once:
 * each counts its own part, and where they get in each other's way, one of them the parts of all.
 * @param gbSecondPrice what the day's cost is counted with, unless an earlier part said so
 * @returns whether the days before are left open
 */
export async function updateUploadsSummary(
  results: Bucket,
  own: UploadsPart,
  gbSecondPrice?: number,
): Promise<boolean> {
  const { batch } = own
  const known = new Map([[own.name, own]])
  for (let races = 0; ; races++) {
    if (races > 0) await sleep(Math.random() * Math.min(firstPause * 2 ** races, longestPause))
    let found = await readProgress(results, batch)
    if (isCounted(found.progress, own)) {
      // Whoever counted it may have died before the summary was written.
      await publish(results, batch, found.progress)
      return areLeftOpen(found.progress, batch)
    }
    if (isClaimed(found.progress, own)) continue
    // First of all, so that somebody will close whatever comes of it.
    if (found.etag === null || found.progress.closed) await markOpen(results, batch)
    if (races > racesAlone || isListingDue(found.progress)) {
      if (!(await claim(results, own, found))) continue
      await findParts(results, found.progress, known, batch)
      found = await readProgress(results, batch)
    }
    const { progress } = found
    const runs = runsDue(progress)
    countParts(progress, [...known.values()], own)
    progress.gbSecondPrice ??= gbSecondPrice
    progress.closed = undefined
    if (!(await saveProgress(results, batch, found))) continue
    await publish(results, batch, progress)
    let isDue = runsDue(progress) > runs
    while (isDue) isDue = await sortNextRun(results, batch)
    return areLeftOpen(progress, batch)
  }
}

const runsDue = ({ parts, tally }: Progress): number =>
  Math.floor(parts / runLimits.parts + (tally.ok + tally.error) / recordsPerRun)

/** Adds the parts that nobody has counted to those that are known. */
async function findParts(
  results: Bucket,
  progress: Progress,
  known: Map<string, UploadsPart>,
  batch: string,
): Promise<void> {
  const recent = new Set(progress.recent)
  async function* missing(): AsyncGenerator<ListedPart> {
    for await (const part of listUploadParts(results, batch, progress.before))
      if (!known.has(part.name) && !recent.has(part.name)) yield part
  }
  for await (const part of readAhead(missing(), partsAhead, (one) => readUploadPart(results, batch, one)))
    known.set(part.name, part)
}

/**
 * Writes the summary of an open day, unless somebody has written a later one: counts only grow. A closed day's summary
 * stays, unless parts were counted since.
 */
async function publish(results: Bucket, batch: string, progress: Progress): Promise<void> {
  let isReopened = false
  const summary = openSummary(batch, progress)
  const written = await writeSummary(results, summary, (current) => {
    isReopened = isClosed(current.state)
    return !isReopened && current.totals.listed < summary.totals.listed
  })
  if (written || !isReopened) return
  const { progress: latest } = await readProgress(results, batch)
  if (latest.closed) return
  await writeSummary(results, openSummary(batch, latest))
  // Whoever closed the day may have taken the marker away just before.
  await markOpen(results, batch)
}

function openSummary(batch: string, { tally, gbSecondPrice }: Progress): BatchSummary {
  const total = tally.ok + tally.error
  return summarize(tally, {
    batch,
    state: 'running',
    listed: total,
    planned: total,
    skipped: 0,
    exact: false,
    startedAt: tally.first ?? startOf(batch),
    gbSecondPrice,
  })
}
