import type { Command } from 'commander'
import { readSummary } from '../batch/reports/summary-object'
import { listOpen } from '../batch/state/open'
import { hasEnded, isUploads, startOf } from '../batch/uploads/day'
import { WhisklensError } from '../errors'
import { alreadyStarted, followBatch, progressOf, waitForSummary } from '../library/batches/follow'
import { type BatchSummary, batchIdSchema, isClosed } from '../schema'
import type { Bucket } from '../storage/store'
import { needStore, resolveConnection, type StoreFlags, storeOptions } from './shared/connection'
import { matching } from './shared/options'
import {
  exitCodeOfBatches,
  note,
  type OutputOptions,
  outputOptions,
  print,
  printJson,
  reportWait,
} from './shared/output'
import { openProgress, type ProgressDisplay } from './shared/progress'
import { describeSummary } from './shared/summary'

interface WatchOptions extends StoreFlags, OutputOptions {
  all?: boolean
}

/** `whisklens watch`. */
export function register(program: Command): void {
  const command = program
    .command('watch')
    .description('show the progress of a batch until it ends: the latest, one by its id, or all')
    .argument('[id]', 'id of the batch', matching(batchIdSchema))
    .option('--all', 'all open batches')
  storeOptions(outputOptions(command, 'print the summary and progress at each change, one per line'))
    .addHelpText(
      'after',
      `
Shows images done, rate, time left, errors and running activations, and the summary at the end. If stderr is not a
terminal, it prints a line every 15 seconds. A day of uploads (uploads-2026-11-22) is watched by id, or if no other batch
is open; it ends at midnight UTC.

Examples:
  whisklens watch
  whisklens watch 20261122-073000-a1b2c3
  whisklens watch --all
  whisklens watch --json | jq -c '[.totals.ok, .progress.secondsLeft]'`,
    )
    .action(run)
}

async function run(id: string | undefined, options: WatchOptions): Promise<void> {
  const connection = await resolveConnection(options)
  const results = needStore(connection).bucket(connection.settings.resultsBucket)
  const batches = id === undefined ? await openBatches(results, options) : [id]
  if (id !== undefined)
    await waitForSummary(results, id, {
      onWait: reportWait(id, options),
      startsWithin: 10_000,
      atMost: Number.POSITIVE_INFINITY,
    })
  for (const batch of batches) noteDay(batch, options)
  const display = openProgress(options)
  // A batch that fails does not end the watch of the others.
  const ends = await Promise.allSettled(batches.map((batch) => watch(results, batch, display, options)))
  display.stop()
  const summaries = ends.flatMap((end) => (end.status === 'fulfilled' ? [end.value] : []))
  if (!options.json) await print(summaries.map((summary) => describeSummary(summary)).join('\n'))
  for (const end of ends) if (end.status === 'rejected') throw end.reason
  process.exitCode = exitCodeOfBatches(summaries)
}

/**
 * All open batches, or the latest. Batches of uploads are open all day, so they count only if no other is open.
 * @throws WhisklensError `batch_not_found` if none is open
 */
async function openBatches(results: Bucket, options: WatchOptions): Promise<string[]> {
  const all: BatchSummary[] = []
  for await (const batch of listOpen(results)) {
    const summary = await readSummary(results, batch)
    if (summary && !isClosed(summary.state)) all.push(summary)
  }
  const fired = all.filter(({ batch }) => !isUploads(batch))
  const open = fired.length > 0 ? fired : all
  open.sort((a, b) => (a.startedAt < b.startedAt ? 1 : -1))
  const [newest] = open
  if (!newest) {
    throw new WhisklensError('batch_not_found', 'No batch is open', {
      hint: 'Start one: whisklens batch <prefix>. whisklens status lists earlier ones.',
    })
  }
  if (options.all) return open.map(({ batch }) => batch)
  note(`Batch ${newest.batch}`, options)
  return [newest.batch]
}

/** Whether the batch is the day of uploads that is still open. */
const isToday = (batch: string): boolean => isUploads(batch) && !hasEnded(batch, Date.now())

/** A day of uploads outlasts its images: its watch goes on after the last of them. */
function noteDay(batch: string, options: OutputOptions): void {
  if (isToday(batch))
    note(`${batch} receives the uploads of today until midnight UTC; Ctrl-C ends the watch`, options)
}

/** What the progress is of: `uploads of today`, `uploads of 2026-11-22`, or the id of the batch. */
const titleOf = (batch: string): string =>
  isUploads(batch) ? `uploads of ${isToday(batch) ? 'today' : startOf(batch).slice(0, 10)}` : batch

/** Follows one batch. @returns its final summary */
function watch(
  results: Bucket,
  batch: string,
  display: ProgressDisplay,
  { json }: WatchOptions,
): Promise<BatchSummary> {
  const counter = display.count('images', titleOf(batch))
  let seen = ''
  return followBatch(results, batch, alreadyStarted, {
    onProgress: async (summary, found) => {
      const progress = progressOf(summary, found)
      const pace = counter.update(progress)
      const { running } = progress
      const change = JSON.stringify([summary, running])
      if (!json || change === seen) return
      seen = change
      await printJson(isClosed(summary.state) ? summary : { ...summary, progress: { ...pace, running } })
    },
    // Hours without an upload are normal.
    ...(isUploads(batch) && { changesWithin: Number.POSITIVE_INFINITY }),
  })
}
