import { Command } from 'commander'
import { openRunner, type Runner, unlimited, usual } from './scale/runner'
import { burstTable, containersTable, growthTable, listsTable } from './scale/tables'

/*
 * Resource needs of batches of any size, by simulation: the actions' own code, with an object store and a platform in memory, on
 * virtual time. Results: docs/scaling.md.
 */

/** Flags of all commands: a single value each, or a list to iterate over. */
interface Flags {
  imageMs: number
  requestMs?: number
}

const numbers = (text: string): number[] => text.split(',').map(Number)

const program = new Command('bench:scale')

const command = (name: string, description: string, isDefault = false): Command =>
  program
    .command(name, { isDefault })
    .description(description)
    .option('--image-ms <ms>', 'time per image, including download', Number, usual.imageMs)
    .option('--request-ms <ms>', 'time per request, instead of the measured ones', Number)

const optionsOf = ({ imageMs, requestMs }: Flags) => ({
  ...usual,
  imageMs,
  calls:
    requestMs === undefined
      ? usual.calls
      : (Object.fromEntries(Object.keys(usual.calls).map((name) => [name, requestMs])) as typeof usual.calls),
})

async function report<T>(sizes: number[], run: (runner: Runner, size: number) => Promise<T>): Promise<T[]> {
  const runner = await openRunner()
  try {
    const found: T[] = []
    for (const size of sizes) found.push(await run(runner, size))
    return found
  } finally {
    runner.close()
  }
}

command('growth', 'batches of several sizes under a server’s default limits', true)
  .option('--images <list>', 'batch sizes', numbers, [1_000, 10_000, 100_000, 1_000_000, 10_000_000])
  .option('--chunk-size <n>', 'images per chunk', Number)
  .action(async (flags: Flags & { images: number[]; chunkSize?: number }) => {
    const options = optionsOf(flags)
    const found = await report(flags.images, (runner, images) =>
      runner.batch({ ...options, images }, flags.chunkSize),
    )
    process.stdout.write(growthTable(found))
  })

command('lists', 'batches fired with a list of images, shuffled, a tenth of them twice')
  .option('--images <list>', 'batch sizes', numbers, [1_000, 10_000, 100_000, 1_000_000])
  .action(async (flags: Flags & { images: number[] }) => {
    const options = { ...optionsOf(flags), isListed: true }
    const found = await report(flags.images, (runner, images) => runner.batch({ ...options, images }))
    process.stdout.write(listsTable(found))
  })

command('containers', 'the same work per container, on increasing numbers of containers')
  .option('--containers <list>', 'numbers of containers', numbers, [1, 16, 64, 256, 1_000])
  .option('--each <n>', 'images per container', Number, 2_000)
  .action(async (flags: Flags & { containers: number[]; each: number }) => {
    const options = { ...optionsOf(flags), limits: unlimited }
    const found = await report(flags.containers, (runner, containers) =>
      runner.batch({ ...options, containers, images: containers * flags.each }),
    )
    process.stdout.write(containersTable(found, 1000 / flags.imageMs))
  })

command('small', 'a few images on a few warm containers')
  .option('--images <list>', 'batch sizes', numbers, [1, 8, 60, 200])
  .option('--containers <n>', 'number of containers', Number, 8)
  .action(async (flags: Flags & { images: number[]; containers: number }) => {
    const { containers } = flags
    const options = { ...optionsOf(flags), containers, coldStart: 0, limits: unlimited }
    const found = await report(flags.images, (runner, images) => runner.batch({ ...options, images }))
    process.stdout.write(containersTable(found, 1000 / flags.imageMs))
  })

command('burst', 'a burst of uploads, under a server’s default limits and without alarms')
  .option('--images <list>', 'numbers of uploads', numbers, [60, 500, 10_000])
  .option('--within <s>', 'duration of the burst, seconds', Number, 30)
  .action(async (flags: Flags & { images: number[]; within: number }) => {
    const options = optionsOf(flags)
    const found = await report(flags.images, (runner, images) =>
      runner.burst({ ...options, images }, flags.within * 1000),
    )
    process.stdout.write(burstTable(found))
  })

program.parseAsync().catch((thrown) => {
  console.error(thrown)
  process.exitCode = 1
})
