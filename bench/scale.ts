import { Command } from 'commander'
import { throughputs, throughputTable } from './scale/containers'
import { complaints, grow, growthTables } from './scale/growth'
import { hourTable, type Largest, largestInAnHour } from './scale/hour'
import { openRunner, type Runner, usual } from './scale/runner'

/*
 * What batches of any size need, found by simulation: the actions' own code, against an object store and a platform
 * that are scripts, by a clock that waits for nobody. docs/scaling.md says what came out.
 */

/** Every command's flags, one value each, but for those that it goes through. */
interface Flags {
  concurrent: number
  imageMs: number
  requestMs: number
  json?: boolean
}

const numbers = (text: string): number[] => text.split(',').map(Number)

function command(program: Command, name: string, description: string, isDefault = false): Command {
  return program
    .command(name, { isDefault })
    .description(description)
    .option('--concurrent <n>', 'activations in flight', Number, usual.limits.concurrentInvocations)
    .option('--image-ms <ms>', 'time for one image, download included', Number, usual.speed.image)
    .option('--request-ms <ms>', 'time for one request', Number, usual.delays.request)
    .option('--json', 'everything that was counted, as JSON')
}

const optionsOf = (
  { concurrent, imageMs, requestMs }: Flags,
  { perMinute, containers, chunkSize }: { perMinute: number; containers?: number; chunkSize?: number },
) => ({
  ...usual,
  containers: containers ?? concurrent,
  chunkSize,
  limits: { ...usual.limits, invocationsPerMinute: perMinute, concurrentInvocations: concurrent },
  speed: { ...usual.speed, image: imageMs },
  delays: { ...usual.delays, request: requestMs },
})

async function report<T>(flags: Flags, work: (runner: Runner) => Promise<T>, show: (found: T) => string) {
  const runner = await openRunner()
  try {
    const found = await work(runner)
    process.stdout.write(flags.json ? `${JSON.stringify(found)}\n` : show(found))
    return found
  } finally {
    runner.close()
  }
}

const program = new Command('bench:scale')

command(
  program,
  'growth',
  'batches of several sizes; fails when what they need grows faster than they do',
  true,
)
  .option('--images <list>', 'sizes', numbers, [1_000, 10_000, 100_000, 1_000_000])
  .option('--chunk-size <n>', 'images a chunk', Number)
  .option('--per-minute <n>', 'invocations a minute', Number, usual.limits.invocationsPerMinute)
  .action(async (flags: Flags & { images: number[]; chunkSize?: number; perMinute: number }) => {
    const options = optionsOf(flags, flags)
    const found = await report(flags, (runner) => grow(runner, flags.images, options), growthTables)
    for (const complaint of complaints(found)) {
      process.stderr.write(`${complaint}\n`)
      process.exitCode = 1
    }
  })

command(program, 'hour', 'the largest batches that are closed within an hour')
  .option('--per-minute <list>', 'invocations a minute', numbers, [60, 6_000])
  .option('--chunk-size <list>', 'images a chunk; 0 for the default', numbers, [0, 500, 1_000])
  .action(async (flags: Flags & { perMinute: number[]; chunkSize: number[] }) => {
    const search = async (runner: Runner) => {
      const found: Largest[] = []
      for (const perMinute of flags.perMinute)
        for (const chunkSize of flags.chunkSize)
          found.push(
            await largestInAnHour(runner, optionsOf(flags, { perMinute, chunkSize: chunkSize || undefined })),
          )
      return found
    }
    await report(flags, search, hourTable)
  })

command(program, 'containers', 'the same batch on more and more containers')
  .option('--containers <list>', 'how many', numbers, [1, 2, 4, 8, 16, 32, 64])
  .option('--images <n>', 'size of the batch', Number, 100_000)
  .option('--per-minute <n>', 'invocations a minute', Number, 6_000)
  .action(async (flags: Flags & { containers: number[]; images: number; perMinute: number }) => {
    const options = { ...optionsOf(flags, { perMinute: flags.perMinute }), images: flags.images }
    await report(flags, (runner) => throughputs(runner, flags.containers, options), throughputTable)
  })

program.parseAsync().catch((thrown) => {
  console.error(thrown)
  process.exitCode = 1
})
