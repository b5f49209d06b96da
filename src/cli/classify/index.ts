import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { type Command, Option } from 'commander'
import { machineMemory, memoryShare } from '../../classifier/container-memory'
import { openPool } from '../../library/classify/pool'
import { isImageName } from '../../library/sources/image-names'
import { exifOptionSchema } from '../../schema'
import { type StoreFlags, storeOptions } from '../shared/connection'
import { matching, wholeNumber } from '../shared/options'
import { exitCodeOf, note, type OutputOptions, outputOptions, plural } from '../shared/output'

export interface ClassifyOptions extends StoreFlags, OutputOptions {
  model?: string
  engine?: string
  workers: number
  top: number
  exif?: 'position'
}

/** `whisklens classify`. */
export function register(program: Command): void {
  const command = program
    .command('classify')
    .description('classify images on this machine, on all cores, without a server')
    .argument(
      '<images...>',
      'files, folders (all images below them), globs, s3://bucket/prefix, https:// URLs, or - for stdin',
    )
    .option(
      '--model <model>',
      'name or folder of the model (default: WHISKLENS_MODEL, or the bundled model that suits the engine)',
    )
    .option('--engine <engine>', 'engine (default: WHISKLENS_ENGINE, or auto: the fastest installed)')
    .addOption(
      new Option('--workers <count>', 'threads, each with its own copy of the model')
        .argParser(wholeNumber(1, 256))
        .default(availableParallelism(), 'one per core'),
    )
    .option('--top <count>', 'labels per image', wholeNumber(1, 1000), 5)
    .option(
      '--exif <what>',
      'position: with --json, also print the GPS position',
      matching(exifOptionSchema, 'Expected position.'),
    )
  storeOptions(outputOptions(command, 'print a record per image, one per line'))
    .addHelpText(
      'after',
      `
Results are printed in the order of the images. Formats: JPEG, PNG, WebP, GIF, AVIF, HEIC and TIFF. Below folders and
prefixes, images are recognised by extension or first bytes; names that begin with a dot are skipped.

Examples:
  whisklens classify cat.jpg photos/
  whisklens classify --json photos/ > labels.jsonl
  whisklens classify --json --top 1 photos/ | jq -r '[.file, .labels[0].label] | @tsv'
  whisklens classify 'photos/**/*.jpg' s3://images/2026/
  cat cat.jpg | whisklens classify -`,
    )
    .action(run)
}

async function run(paths: string[], options: ClassifyOptions): Promise<void> {
  const started = Date.now()
  // Started before more code is loaded: workers take longer to start than it takes to find the first images.
  const isOne = paths.length === 1 && isImageName(paths[0] as string)
  const pool = openPool(join(__dirname, 'classify-worker.cjs'), options.workers, {
    atOnce: isOne ? 1 : 2,
    memory: memoryShare(machineMemory(), options.workers),
  })
  const { classifyAll } = await import('./all')
  const counts = await classifyAll(paths, options, pool).finally(pool.close)
  const seconds = (Date.now() - started) / 1000
  const failed = counts.failed > 0 ? `, ${counts.failed} in error` : ''
  const rate = (counts.found / seconds).toFixed(1)
  const { model, engine } = counts.used ?? {}
  const how = model ? ` with ${model} on ${engine}` : ''
  const what = `Classified ${plural(counts.ok, 'image')}${failed}`
  note(`${what} in ${seconds.toFixed(1)} s (${rate}/s)${how}`, options)
  process.exitCode = exitCodeOf(counts)
}
