import type { Command } from 'commander'
import { soonBegun } from '../library/batches/follow'
import { fireAndFollow } from './batch'
import { type ConnectionFlags, connectionOptions, needStore, resolveConnection } from './shared/connection'
import { firedBatchSchema } from './shared/fired-batch'
import { matching } from './shared/options'
import { notedWait, type OutputOptions, outputOptions } from './shared/output'

interface RetryOptions extends ConnectionFlags, OutputOptions {
  wait: boolean
}

/** `whisklens retry`: what of a batch is missing or failed for reasons that may have passed. */
export function register(program: Command): void {
  const command = program
    .command('retry')
    .description('classify again what a batch lacks, or what failed for a reason that may have passed')
    .argument('<id>', 'id of the batch', matching(firedBatchSchema))
    .option('--no-wait', 'print the id and exit once the batch is fired')
  connectionOptions(outputOptions(command, 'print the summary as JSON'))
    .addHelpText(
      'after',
      `
Images that were lost or could not be downloaded are tried again; files that are no images or are too large are not. A
batch that was cancelled or stopped goes on where it ended.

Examples:
  whisklens retry 20261122-073000-a1b2c3`,
    )
    .action(run)
}

async function run(batch: string, options: RetryOptions): Promise<void> {
  const connection = await resolveConnection(options)
  const results = needStore(connection).bucket(connection.settings.resultsBucket)
  // Before it is fired: without a batch, there is nothing to wait for.
  await soonBegun(results, batch, { onWait: notedWait(batch, options) })
  await fireAndFollow({ batch, retry: true }, connection, options)
}
