import type { Command } from 'commander'
import { undeployManifest } from '../openwhisk/deploy/deploy'
import { type DeployOptions, manifestOf, manifestOptions, report } from './deploy'
import { targetOf } from './deploy-target'
import { resolveConnection } from './shared/connection'
import { exitCode, note } from './shared/output'

/** `whisklens undeploy`: deletes every entity that `deploy` creates. */
export function register(program: Command): void {
  const command = program.command('undeploy').description('remove Whisklens from OpenWhisk')
  manifestOptions(command)
    .addHelpText(
      'after',
      `
Deletes rules, triggers with their feeds, actions and the package. Buckets, images and results stay.

Examples:
  whisklens undeploy --dry-run
  whisklens undeploy`,
    )
    .action(run)
}

async function run(options: DeployOptions): Promise<void> {
  const connection = await resolveConnection(options)
  const what = options.dryRun ? 'Comparing with' : 'Removing from'
  const { address } = await targetOf(connection, what, options)
  let count = 0
  for await (const change of undeployManifest(await manifestOf(options, connection), address, options)) {
    await report(change, options)
    count++
    if (!change.failure) continue
    note(`The feed of ${change.name} may still be active: ${change.failure}`, options)
    process.exitCode = exitCode.failed
  }
  note(`${count} entities ${options.dryRun ? 'would be removed' : 'removed'} on ${address.apiHost}`, options)
}
