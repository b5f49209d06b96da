import type { Command } from 'commander'
import { cancelBatch } from '../library/batches/fire'
import { followBatch, waitForSummary } from '../library/batches/follow'
import { type BatchSummary, isClosed } from '../schema'
import { type ConnectionFlags, connectionOptions, needStore, resolveConnection } from './shared/connection'
import { firedBatchSchema } from './shared/fired-batch'
import { matching } from './shared/options'
import {
  exitCode,
  exitCodeOfBatches,
  next,
  note,
  type OutputOptions,
  outputOptions,
  print,
  printJson,
  reportWait,
} from './shared/output'
import { describeSummary } from './shared/summary'

/** `whisklens cancel`. */
export function register(program: Command): void {
  const command = program
    .command('cancel')
    .description('cancel a batch and keep its results so far')
    .argument('<id>', 'id of the batch', matching(firedBatchSchema))
  connectionOptions(outputOptions(command, 'print the summary as JSON'))
    .addHelpText(
      'after',
      `
Running activations finish. whisklens retry resumes the batch.

Examples:
  whisklens cancel 20261122-073000-a1b2c3`,
    )
    .action(run)
}

async function run(batch: string, options: ConnectionFlags & OutputOptions): Promise<void> {
  const connection = await resolveConnection(options)
  const results = needStore(connection).bucket(connection.settings.resultsBucket)
  const found = await waitForSummary(results, batch, { onWait: reportWait(batch, options) })
  const { before, failure } = await cancelBatch(batch, connection)
  const summary = await followBatch(results, batch, before, { onProgress: () => {}, failure })
  await (options.json ? printJson(summary) : print(describeSummary(summary)))
  const { state } = summary
  if (state !== 'cancelled') note(`Nothing was cancelled: ${whyNot(found, summary)}`, options)
  else next(`whisklens retry ${batch}   # resumes it`, options)
  process.exitCode = state === 'cancelled' ? exitCode.ok : exitCodeOfBatches([summary])
}

/** Why a batch was not cancelled. @param found as it was before the request */
function whyNot(found: BatchSummary, { state }: BatchSummary): string {
  if (isClosed(found.state)) return `the batch was already ${state}`
  // Activations that run are left to finish.
  return state === 'complete'
    ? 'all images were already dispatched, and the batch has ended'
    : 'the batch has stopped'
}
