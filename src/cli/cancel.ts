import type { Command } from 'commander'
import { batchNotFound } from '../batch/results/results'
import { readSummary } from '../batch/summary/summary-object'
import { connect } from '../openwhisk/client'
import { batchIdSchema } from '../schema'
import {
  type ConnectionFlags,
  connectionOptions,
  needOpenWhisk,
  needStore,
  resolveConnection,
} from './connection'
import { begun, followBatch } from './follow'
import { matching } from './options'
import { type OutputOptions, outputOptions, print, printJson } from './output'
import { describeSummary } from './summary'

/** `whisklens cancel`: ends a batch and keeps what is done. */
export function register(program: Command): void {
  const command = program
    .command('cancel')
    .description('end a batch now and keep what is done')
    .argument('<id>', 'the batch', matching(batchIdSchema))
  connectionOptions(outputOptions(command, 'print the summary as JSON'))
    .addHelpText(
      'after',
      `
What was dispatched already still runs to its end. Firing the batch again, or whisklens retry, goes on where it ended.

Example:
  whisklens cancel 20261122-073000-a1b2c3`,
    )
    .action(run)
}

async function run(batch: string, options: ConnectionFlags & OutputOptions): Promise<void> {
  const connection = await resolveConnection(options)
  const results = needStore(connection).bucket(connection.settings.resultsBucket)
  if (!(await readSummary(results, batch))) throw batchNotFound(batch)
  const action = `/${connection.namespace}/whisklens/start-batch`
  await connect(needOpenWhisk(connection)).invoke(action, { batch, cancel: true })
  const summary = await followBatch(results, batch, begun, { onProgress: () => {} })
  await (options.json ? printJson(summary) : print(describeSummary(summary)))
}
