import type { Command } from 'commander'
import { waitForSummary } from '../library/batches/follow'
import { fireAndFollow } from './batch'
import { type ConnectionFlags, connectionOptions, needStore, resolveConnection } from './shared/connection'
import { firedBatchSchema } from './shared/fired-batch'
import { matching } from './shared/options'
import { type OutputOptions, outputOptions, reportWait } from './shared/output'

interface RetryOptions extends ConnectionFlags, OutputOptions {
  wait: boolean
}

/** `whisklens retry`. */
export function register(program: Command): void {
  const command = program
    .command('retry')
    .description('classify the missing images of a batch, and those with a retryable error')
    .argument('<id>', 'id of the batch', matching(firedBatchSchema))
    .option('--no-wait', 'print the id and exit once the batch is fired')
  connectionOptions(outputOptions(command, 'print the summary as JSON'))
    .addHelpText(
      'after',
      `
Images that were lost or could not be downloaded are retried; files that are not images, or too large, are not. A cancelled
or stopped batch is resumed.

Examples:
  whisklens retry 20261122-073000-a1b2c3`,
    )
    .action(run)
}

async function run(batch: string, options: RetryOptions): Promise<void> {
  const connection = await resolveConnection(options)
  const results = needStore(connection).bucket(connection.settings.resultsBucket)
  // Check that the batch exists before firing.
  await waitForSummary(results, batch, { onWait: reportWait(batch, options) })
  await fireAndFollow({ batch, retry: true }, connection, options)
}
