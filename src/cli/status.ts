import type { Command } from 'commander'
import { newestBatches } from '../batch/reports/newest'
import type { Batch } from '../batch/state/batch'
import { readBatch } from '../batch/state/batch'
import { type Progress, progressOf, waitForSummary } from '../library/batches/follow'
import { type BatchSummary, batchIdSchema, isClosed } from '../schema'
import { columns } from './shared/columns'
import { needStore, resolveConnection, type StoreFlags, storeOptions } from './shared/connection'
import { matching, wholeNumber } from './shared/options'
import {
  note,
  type OutputOptions,
  outputOptions,
  print,
  printable,
  printJson,
  reportWait,
} from './shared/output'
import { type Pace, paceOf } from './shared/pace'
import { describeProgress } from './shared/progress'
import { describeSummary } from './shared/summary'

interface StatusOptions extends StoreFlags, OutputOptions {
  limit: number
}

/** `whisklens status`. */
export function register(program: Command): void {
  const command = program
    .command('status')
    .description('show the latest batches, or one by its id')
    .argument('[id]', 'id of the batch', matching(batchIdSchema))
    .option('--limit <count>', 'at most this many batches', wholeNumber(1, 100_000), 20)
  storeOptions(outputOptions(command, 'print summaries as JSON, one per line'))
    .addHelpText(
      'after',
      `
Waits up to ten seconds for a batch that was just fired. The uploads of a day (UTC) are a batch too: uploads-2026-11-22.

Examples:
  whisklens status
  whisklens status 20261122-073000-a1b2c3
  whisklens status --json | jq -r 'select(.state != "complete") | .batch'`,
    )
    .action(run)
}

async function run(id: string | undefined, options: StatusOptions): Promise<void> {
  const connection = await resolveConnection(options)
  const results = needStore(connection).bucket(connection.settings.resultsBucket)
  if (id === undefined) return list(await newestBatches(results, options.limit), options)
  const summary = await waitForSummary(results, id, { onWait: reportWait(id, options) })
  const batch = isClosed(summary.state) ? undefined : await readBatch(results, id)
  if (!batch) return options.json ? printJson(summary) : print(describeSummary(summary))
  const progress = progressOf(summary, batch)
  const pace = averagePace(progress, batch)
  if (options.json) return printJson({ ...summary, progress: { ...pace, running: progress.running } })
  await print(describeSummary(summary, describeProgress(progress, 'images', pace)))
}

/** Average since the start, from a single measurement; unknown for a further run. */
function averagePace({ done, total, isGrowing }: Progress, { startedAt, run }: Batch): Pace {
  const left = isGrowing ? undefined : total - done
  return paceOf(run === 1 ? done : 0, left, Date.now() - Date.parse(startedAt))
}

async function list(summaries: BatchSummary[], options: StatusOptions): Promise<void> {
  if (options.json) {
    for (const summary of summaries) await printJson(summary)
    return
  }
  if (summaries.length === 0) return note('No batch yet. Start one: whisklens batch <prefix>', options)
  const rows = summaries.map(({ batch, state, totals, labels, startedAt }) => {
    const common = labels.slice(0, 3).map(({ label, count }) => `${printable(label)} ${count}`)
    return [batch, state, countsOf(totals), startedAt.slice(0, 16), common.join(', ')]
  })
  await print(columns([['batch', 'state', 'images', 'started (UTC)', 'labels'], ...rows]))
}

/** `118 ok, 2 in error`, without zeros. */
function countsOf({ ok, error, pending, skipped }: BatchSummary['totals']): string {
  const counts = Object.entries({ ok, 'in error': error, pending, skipped }).filter(([, count]) => count > 0)
  return counts.map(([what, count]) => `${count} ${what}`).join(', ') || 'none'
}
