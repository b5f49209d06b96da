import type { Command } from 'commander'
import { isInBox, removeModel } from '../../models/remove'
import { note, type OutputOptions, outputOptions, print, printJson } from '../shared/output'

/** `whisklens model remove`: deletes a model that the user added. */
export function register(model: Command): void {
  const command = model
    .command('remove')
    .description('delete a model that you added')
    .argument('<model>', 'its name')
  outputOptions(command, 'print one JSON object')
    .addHelpText(
      'after',
      `
Models that come with Whisklens stay. Results that the model gave stay as well, and so does what it was copied from.

Examples:
  whisklens model remove flowers`,
    )
    .action(run)
}

async function run(name: string, options: OutputOptions): Promise<void> {
  const folder = await removeModel(name)
  note(`Removed ${folder}`, options)
  if (isInBox(name)) note(`"${name}" now is the model that comes with Whisklens`, options)
  await (options.json ? printJson({ id: name, folder }) : print(`${name}\n`))
}
