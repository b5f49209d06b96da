import type { Command } from 'commander'
import { engineFor, modelFor } from '../../classifier/default-model'
import { tfjsNodeFolder } from '../../classifier/engines/tensorflow'
import { columns } from '../shared/columns'
import { type ConnectionFlags, connectionOptions, resolveConnection } from '../shared/connection'
import {
  exitCode,
  note,
  type OutputOptions,
  outputOptions,
  print,
  printable,
  printJson,
  runnable,
} from '../shared/output'
import { findings } from './checks'
import type { Finding } from './finding'
import { installTfjsNode } from './tfjs-node/install'

interface DoctorOptions extends ConnectionFlags, OutputOptions {
  installTfjsNode?: boolean
}

/** `whisklens doctor`. */
export function register(program: Command): void {
  const command = program
    .command('doctor')
    .description('check engines, decoder, model and connections')
    .option(
      '--install-tfjs-node',
      'first install the engine "tfjs-node" (Linux; needs npm, pip and g++; 750 MB)',
    )
  connectionOptions(outputOptions(command, 'print a JSON object per finding, one per line'))
    .addHelpText(
      'after',
      `
Exits with 1 when something that is installed or configured does not work. WHISKLENS_ENGINE selects the engine; "auto" is
the first one in the list that works.

Examples:
  whisklens doctor
  whisklens doctor --install-tfjs-node
  whisklens doctor --json | jq -r 'select(.state == "failed") | .name'`,
    )
    .action(run)
}

const marks: Record<Finding['state'], string> = { ok: 'ok', absent: '–', failed: 'FAILED' }

async function run(options: DoctorOptions): Promise<void> {
  const connection = await resolveConnection(options)
  if (options.installTfjsNode) {
    await installTfjsNode(tfjsNodeFolder(), (step) => note(step, options))
    note(`Installed to ${tfjsNodeFolder()}`, options)
  }
  const found: Finding[] = []
  for await (const finding of findings(connection)) {
    found.push(finding)
    if (options.json) await printJson(finding)
  }
  if (!options.json) {
    const { engine, model } = connection.settings
    const rows = found.map(({ name, state, detail, hint }) => [
      marks[state],
      name,
      printable(hint ? `${detail} (${runnable(hint)})` : detail),
    ])
    await print(columns(rows))
    note(`In use: ${modelFor(model, engine)} on ${engineFor(engine)}`, options)
  }
  if (found.some(({ state }) => state === 'failed')) process.exitCode = exitCode.failed
}
