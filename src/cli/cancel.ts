import type { Command } from 'commander'
import { cancelBatch } from '../library/batches/fire'
import { followBatch, soonBegun } from '../library/batches/follow'
import { type ConnectionFlags, connectionOptions, needStore, resolveConnection } from './shared/connection'
import { firedBatchSchema } from './shared/fired-batch'
import { matching } from './shared/options'
import {
  exitCode,
  exitCodeOfBatches,
  next,
  note,
  notedWait,
  type OutputOptions,
  outputOptions,
  print,
  printJson,
} from './shared/output'
import { describeSummary } from './shared/summary'

/** `whisklens cancel`: ends a batch and keeps what is done. */
export function register(program: Command): void {
  const command = program
    .command('cancel')
    .description('end a batch now and keep its results')
    .argument('<id>', 'id of the batch', matching(firedBatchSchema))
  connectionOptions(outputOptions(command, 'print the summary as JSON'))
    .addHelpText(
      'after',
      `
Activations that are running finish. whisklens retry goes on where the batch ended.

Examples:
  whisklens cancel 20261122-073000-a1b2c3`,
    )
    .action(run)
}

async function run(batch: string, options: ConnectionFlags & OutputOptions): Promise<void> {
  const connection = await resolveConnection(options)
  const results = needStore(connection).bucket(connection.settings.resultsBucket)
  await soonBegun(results, batch, { onWait: notedWait(batch, options) })
  const { before, failure } = await cancelBatch(batch, connection)
  const summary = await followBatch(results, batch, before, { onProgress: () => {}, failure })
  await (options.json ? printJson(summary) : print(describeSummary(summary)))
  const { state } = summary
  if (state !== 'cancelled') note(`Nothing was cancelled: the batch was already ${state}`, options)
  else next(`whisklens retry ${batch}   # goes on with it`, options)
  process.exitCode = state === 'cancelled' ? exitCode.ok : exitCodeOfBatches([summary])
}
