import type { Command } from 'commander'
import { isInBox, removeModel } from '../../models/remove'
import { note, type OutputOptions, outputOptions, print, printJson } from '../shared/output'

/** `whisklens model remove`. */
export function register(model: Command): void {
  const command = model
    .command('remove')
    .description('delete a model that you added')
    .argument('<model>', 'its name')
  outputOptions(command, 'print one JSON object')
    .addHelpText(
      'after',
      `
Bundled models cannot be removed. Results of the model and the files it was copied from stay.

Examples:
  whisklens model remove flowers`,
    )
    .action(run)
}

async function run(name: string, options: OutputOptions): Promise<void> {
  const folder = await removeModel(name)
  note(`Removed ${folder}`, options)
  if (isInBox(name)) note(`"${name}" is the bundled model again`, options)
  await (options.json ? printJson({ id: name, folder }) : print(`${name}\n`))
}
