import { resolve } from 'node:path'
import type { Command } from 'commander'
import { webAddress } from '../openwhisk/client'
import { type Change, deployManifest } from '../openwhisk/deploy/deploy'
import { readManifest } from '../openwhisk/manifest'
import { homeFolder } from '../paths'
import { checkSettings, checkStore, manifestEnvironment, targetOf } from './deploy-target'
import { apiOptions, type Connection, type ConnectionFlags, resolveConnection } from './shared/connection'
import { next, note, type OutputOptions, outputOptions, print, printJson } from './shared/output'
import { ensureStock } from './stock/make'

export interface DeployOptions extends ConnectionFlags, OutputOptions {
  manifest?: string
  stock?: boolean
  dryRun?: boolean
  kind?: string
}

/** `whisklens deploy`: as `wskdeploy -m manifest.yaml`, and prints the changes. */
export function register(program: Command): void {
  const command = program.command('deploy').description('deploy Whisklens to OpenWhisk')
  manifestOptions(command)
    .option('--kind <kind>', 'kind of all Node.js actions, such as nodejs:22')
    .addHelpText(
      'after',
      `
As wskdeploy -m manifest.yaml. Settings come from the environment and whisklens.config.json. Only entities that differ are
updated. A new action gets the newest of nodejs:20, 22 and 24 that the API host offers; a deployed one keeps its kind.

Examples:
  whisklens deploy --dry-run                      # shows the changes
  whisklens deploy                                # classify runs in the image WHISKLENS_RUNTIME_IMAGE
  whisklens deploy --stock                        # no image: builds zips from the installed packages
  whisklens deploy --stock --kind nodejs:22       # moves all actions to another kind`,
    )
    .action(run)
}

/** Options shared by `deploy` and `undeploy`. */
export const manifestOptions = (command: Command): Command =>
  apiOptions(
    outputOptions(
      command
        .option('--manifest <file>', 'manifest (default: the manifest.yaml of Whisklens)')
        .option('--stock', 'use manifest.stock.yaml, which needs no runtime image')
        .option('--dry-run', 'only show the changes'),
      'print changes as JSON, one per line',
    ),
  )

/** Reads the selected manifest with the given settings. As with wskdeploy, unset variables have no defaults. */
export function manifestOf({ manifest, stock }: DeployOptions, connection: Connection) {
  const own = stock ? 'manifest.stock.yaml' : 'manifest.yaml'
  return readManifest(resolve(manifest ?? `${homeFolder()}/${own}`), manifestEnvironment(connection))
}

async function run(options: DeployOptions): Promise<void> {
  const connection = await resolveConnection(options)
  const what = options.dryRun ? 'Comparing with' : 'Deploying to'
  const { address, namespace } = await targetOf(connection, what, options)
  checkSettings(connection, options)
  const manifest = await manifestOf(options, connection)
  await checkStore(manifest, connection, options)
  if (options.stock) await ensureStock(() => note('Building the zips for stock Node.js', options))
  const changes: Change[] = []
  for await (const change of deployManifest(manifest, address, options)) {
    changes.push(change)
    await report(change, options)
  }
  const changed = changes.filter(({ change }) => change !== 'none').length
  const done = options.dryRun ? 'would be changed' : 'changed'
  note(`${changed} of ${changes.length} entities ${done} on ${address.apiHost}`, options)
  if (options.dryRun) return
  if (changes.some(({ name }) => name === 'whisklens/results')) {
    const gallery = webAddress(address.apiHost, namespace, 'results')
    note(`Gallery: ${gallery}?token=…   (the token is WHISKLENS_RESULTS_TOKEN)`, options)
  }
  next('whisklens doctor   # checks the deployment', options)
}

const signs = { create: '+', update: '~', none: ' ', delete: '-' }

/** Prints one change. */
export function report(change: Change, { json, quiet }: OutputOptions): Promise<void> {
  if (json) return printJson(change)
  if (quiet) return Promise.resolve()
  const { kind, name, differs } = change
  const why = differs.length > 0 ? ` (${differs.join(', ')})` : ''
  return print(`${signs[change.change]} ${kind.padEnd(8)} ${name}${why}\n`)
}
