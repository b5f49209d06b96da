import { Command, CommanderError } from 'commander'
import { description, version } from '../../package.json'
import { exitCleanly } from './shared/exit'
import { reportFailure } from './shared/failure'
import { exitCode } from './shared/output'

/** Loaders of the command modules, in the order of the help. */
export type Commands = Record<string, () => Promise<{ register(program: Command): void }>>

/** Builds the command tree; only the command named by the arguments, if there is one. */
export async function createProgram(commands: Commands, [name = '']: string[]): Promise<Command> {
  const program = new Command('whisklens')
    .description(description)
    .version(version)
    .exitOverride()
    // Errors are reported in one place, below.
    .configureOutput({ outputError: () => {} })
    .showSuggestionAfterError()
    .addHelpText(
      'after',
      `
Data goes to stdout, progress and notes to stderr. Exit codes: 0 ok, 1 failed, 2 wrong usage, 3 finished, but some images
failed. Settings come from flags, then the environment (WHISKLENS_…), whisklens.config.json, a running local mode
(whisklens up), ~/.wskprops.

Examples:
  whisklens classify photos/          # labels of your photos, without a server
  whisklens demo                      # the whole system on eight sample photos
  whisklens up                        # the whole system on this machine, for your own photos`,
    )
  const wanted = Object.hasOwn(commands, name) ? [name] : Object.keys(commands)
  for (const command of wanted) (await commands[command]?.())?.register(program)
  return program
}

async function run(commands: Commands, args: string[]): Promise<number> {
  try {
    await (await createProgram(commands, args)).parseAsync(args, { from: 'user' })
    return Number(process.exitCode ?? exitCode.ok)
  } catch (thrown) {
    // --help and --version end this way too.
    if (thrown instanceof CommanderError && thrown.exitCode === 0) return exitCode.ok
    // No command given: commander has already written the help to stderr.
    if (thrown instanceof CommanderError && thrown.code === 'commander.help') return exitCode.usage
    // main() ends the process.
    if ((thrown as NodeJS.ErrnoException).code === 'EPIPE') return exitCode.ok
    return reportFailure(thrown, args)
  }
}

/** Runs the command line. */
export function main(commands: Commands): void {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', ({ code }: NodeJS.ErrnoException) => {
      // `whisklens … | head` closes the pipe early: not an error.
      if (code === 'EPIPE') void exitCleanly()
    })
  }
  void run(commands, process.argv.slice(2)).then((code) => {
    process.exitCode = code
  })
}
