import type { Command } from 'commander'
import { connect } from '../openwhisk/client'
import { watchActivation } from '../library/batches/activations'
import {
  type ConnectionFlags,
  connectionOptions,
  needOpenWhisk,
  needStore,
  resolveConnection,
} from './connection'
import { firedBatchSchema } from './fired-batch'
import { begun, followBatch, soonBegun } from '../library/batches/follow'
import { matching } from './options'
import {
  exitCode,
  exitCodeOfBatches,
  note,
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
  await soonBegun(results, batch, options)
  const action = `/${connection.namespace}/whisklens/start-batch`
  const address = needOpenWhisk(connection)
  const activationId = await connect(address).invoke(action, { batch, cancel: true })
  const failure = watchActivation(address, 'start-batch', activationId)
  const summary = await followBatch(results, batch, begun, { onProgress: () => {}, failure })
  await (options.json ? printJson(summary) : print(describeSummary(summary)))
  const { state } = summary
  if (state !== 'cancelled') note(`Nothing was cancelled: the batch was ${state} before`, options)
  process.exitCode = state === 'cancelled' ? exitCode.ok : exitCodeOfBatches([summary])
}
