import type { Command } from 'commander'
import { cancelBatch } from '../library/batches/fire'
import { followBatch, soonBegun } from '../library/batches/follow'
import { type ConnectionFlags, connectionOptions, needStore, resolveConnection } from './connection'
import { firedBatchSchema } from './fired-batch'
import { matching } from './options'
import {
  exitCode,
  exitCodeOfBatches,
  note,
  notedWait,
  type OutputOptions,
  outputOptions,
  print,
  printJson,
} from './output'
import { describeSummary } from './summary'

/** `whisklens cancel`: ends a batch and keeps what is done. */
export function register(program: Command): void {
  const command = program
    .command('cancel')
    .description('end a batch now and keep what is done')
    .argument('<id>', 'the batch', matching(firedBatchSchema))
  connectionOptions(outputOptions(command, 'print the summary as JSON'))
    .addHelpText(
      'after',
      `
What was dispatched already still runs to its end. Firing the batch again, or whisklens retry, goes on where it ended.
Where the batch was over before, that is said.

Example:
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
  if (state !== 'cancelled') note(`Nothing was cancelled: the batch was ${state} before`, options)
  process.exitCode = state === 'cancelled' ? exitCode.ok : exitCodeOfBatches([summary])
}
