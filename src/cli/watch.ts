import type { Command } from 'commander'
import { readSummary } from '../batch/reports/summary-object'
import { listOpen } from '../batch/state/open'
import { isUploads } from '../batch/uploads/day'
import { WhisklensError } from '../errors'
import { begun, followBatch, headwayOf, soonBegun } from '../library/batches/follow'
import { type BatchSummary, batchIdSchema, isClosed } from '../schema'
import type { Bucket } from '../storage/store'
import { type ConnectionFlags, connectionOptions, needStore, resolveConnection } from './shared/connection'
import { matching } from './shared/options'
import {
  exitCodeOfBatches,
  note,
  notedWait,
  type OutputOptions,
  outputOptions,
  print,
  printJson,
} from './shared/output'
import { openProgress, type Progress } from './shared/progress'
import { describeSummary } from './shared/summary'

interface WatchOptions extends ConnectionFlags, OutputOptions {
  all?: boolean
}

/** `whisklens watch`: how a batch gets on, until it is over. */
export function register(program: Command): void {
  const command = program
    .command('watch')
    .description('show the progress of a batch until it ends: the newest open one, one by its id, or all')
    .argument('[id]', 'id of the batch', matching(batchIdSchema))
    .option('--all', 'all open batches')
  connectionOptions(
    outputOptions(command, 'print the summary with its progress at each change, one per line'),
  )
    .addHelpText(
      'after',
      `
Shows images done, rate, time left, errors and running activations, and the summary at the end. Where stderr is no
terminal, it prints a line every 15 seconds. The uploads of a day (uploads-2026-11-22) are watched by id, or where no other
batch is open; they go on until midnight (UTC).

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
    await soonBegun(results, id, {
      onWait: notedWait(id, options),
      startsWithin: 10_000,
      atMost: Number.POSITIVE_INFINITY,
    })
  const progress = openProgress(options)
  // One that cannot be followed is no reason to leave the others: all are seen to their ends.
  const ends = await Promise.allSettled(
    batches.map((batch) => watch(results, batch, progress, { ...options, isNamed: batches.length > 1 })),
  )
  progress.stop()
  const summaries = ends.flatMap((end) => (end.status === 'fulfilled' ? [end.value] : []))
  if (!options.json) await print(summaries.map((summary) => describeSummary(summary)).join('\n'))
  for (const end of ends) if (end.status === 'rejected') throw end.reason
  process.exitCode = exitCodeOfBatches(summaries)
}

/**
 * All batches that are open, or the newest of them; days of uploads, which are open until they are over, only where no
 * other is.
 * @throws WhisklensError `batch_not_found` when none is
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

/** Follows one batch. @returns its final summary */
function watch(
  results: Bucket,
  batch: string,
  progress: Progress,
  { json, isNamed }: WatchOptions & { isNamed: boolean },
): Promise<BatchSummary> {
  const counter = progress.count('images', isNamed ? batch : undefined)
  let seen = ''
  return followBatch(results, batch, begun, {
    onProgress: async (summary, found) => {
      const headway = headwayOf(summary, found)
      const pace = counter.update(headway)
      const { running } = headway
      const change = JSON.stringify([summary, running])
      if (!json || change === seen) return
      seen = change
      await printJson(isClosed(summary.state) ? summary : { ...summary, progress: { ...pace, running } })
    },
    // No upload for hours is nothing to worry about.
    ...(isUploads(batch) && { changesWithin: Number.POSITIVE_INFINITY }),
  })
}
