import type { Command } from 'commander'
import { findEngine } from '../../classifier/engines'
import { enginesOf } from '../../classifier/tasks'
import { type Check, type Engines, verifyModel } from '../../models/verify'
import { columns } from '../shared/columns'
import {
  exitCode,
  note,
  type OutputOptions,
  outputOptions,
  plural,
  print,
  printable,
  printJson,
} from '../shared/output'
import { predict } from './warm-up'

/** `whisklens model verify`. */
export function register(model: Command): void {
  const command = model
    .command('verify')
    .description('check the files of a model and its output on each installed engine')
    .argument('<model>', 'its name, or its folder')
  outputOptions(command, 'print a JSON object per check, one per line')
    .addHelpText(
      'after',
      `
Probabilities of the engines must agree within 0.001. Exits with 1 when a check fails. An engine that is not installed, or
does not support an operation of the network, does not count as a failure.

Examples:
  whisklens model verify efficientnet-lite0
  whisklens model verify ./flowers --json | jq -r 'select(.state == "failed") | .detail'`,
    )
    .action(run)
}

const engines: Engines = {
  of: enginesOf,
  missing: (engine) => findEngine(engine).missing(),
  predict,
}

const marks: Record<Check['state'], string> = { ok: 'ok', absent: '–', failed: 'FAILED' }

async function run(model: string, options: OutputOptions): Promise<void> {
  const checks: Check[] = []
  for await (const check of verifyModel(model, engines)) {
    checks.push(check)
    if (options.json) await printJson(check)
  }
  if (!options.json) {
    const rows = checks.map(({ name, state, detail, hint }) => [
      marks[state],
      name,
      printable(hint ? `${detail} (${hint})` : detail),
    ])
    await print(columns(rows))
  }
  const failed = checks.filter(({ state }) => state === 'failed').length
  if (failed === 0) return
  note(`${plural(failed, 'check')} of ${model} failed`, options)
  process.exitCode = exitCode.failed
}
