import { Command, CommanderError } from 'commander'
import { description, version } from '../../package.json'
import { register as batch } from './batch'
import { register as cancel } from './cancel'
import { register as classify } from './classify'
import { register as cost } from './cost'
import { register as demo } from './demo'
import { register as deploy } from './deploy'
import { register as doctor } from './doctor'
import { reportFailure } from './failure'
import { register as model } from './model'
import { exitCode } from './output'
import { register as prune } from './prune'
import { register as results } from './results'
import { register as retry } from './retry'
import { register as status } from './status'
import { register as teach } from './teach'
import { register as undeploy } from './undeploy'
import { register as up } from './up'
import { register as upload } from './upload'
import { register as watch } from './watch'

function createProgram(): Command {
  const program = new Command('whisklens')
    .description(description)
    .version(version)
    .exitOverride()
    // All errors are reported in one place, below.
    .configureOutput({ outputError: () => {} })
    .showSuggestionAfterError()
    .addHelpText(
      'after',
      `
Data goes to stdout, progress and notes to stderr. Exit codes: 0 ok, 1 failed, 2 wrong usage, 3 finished with some
images in error. Settings come from flags, then the environment (WHISKLENS_…), whisklens.config.json, a running local
mode (whisklens up), ~/.wskprops.

Examples:
  whisklens classify photos/          labels of your photos, without any server
  whisklens demo                      the whole system, at work on eight photos
  whisklens up                        the whole system on this machine, for photos of your own`,
    )
  for (const register of [
    up,
    demo,
    upload,
    classify,
    batch,
    status,
    watch,
    results,
    retry,
    cancel,
    prune,
    cost,
    teach,
    deploy,
    undeploy,
    model,
    doctor,
  ])
    register(program)
  return program
}

async function main(args: string[]): Promise<number> {
  try {
    await createProgram().parseAsync(args, { from: 'user' })
    return Number(process.exitCode ?? exitCode.ok)
  } catch (thrown) {
    // --help and --version end this way too.
    if (thrown instanceof CommanderError && thrown.exitCode === 0) return exitCode.ok
    // Without a command: its help is the message, and it is on stderr already.
    if (thrown instanceof CommanderError && thrown.code === 'commander.help') return exitCode.usage
    return reportFailure(thrown, args)
  }
}

for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', ({ code }: NodeJS.ErrnoException) => {
    // `whisklens … | head`: nobody reads on, and that is no failure.
    if (code === 'EPIPE') process.exit()
  })
}

void main(process.argv.slice(2)).then((code) => {
  process.exitCode = code
})
