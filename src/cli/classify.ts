import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import type { Command } from 'commander'
import pLimit from 'p-limit'
import { WhisklensError } from '../errors'
import { readAhead } from '../read-ahead'
import { type ClassifyPool, openPool, tasksPerWorker } from './classify-pool'
import { type Source, sourcesOf } from './classify-sources'
import { type Classified, type ClassifyAnswer, problemOf } from './classify-task'
import { type ConnectionFlags, connectionOptions, needStore, resolveConnection } from './connection'
import { wholeNumber } from './options'
import {
  exitCodeOf,
  note,
  type OutputOptions,
  outputOptions,
  percent,
  plural,
  print,
  printable,
  printJson,
} from './output'
import { startProgress } from './progress'
import { isImageName } from './walk'

interface ClassifyOptions extends ConnectionFlags, OutputOptions {
  model?: string
  engine?: string
  workers: number
  top: number
}

type Answer = { file: string } & ClassifyAnswer

/** A slow image holds back so many faster ones behind it, for each worker. They are paths and labels, no pixels. */
const aheadPerWorker = 64

/** `whisklens classify`: labels without a server. */
export function register(program: Command): void {
  const command = program
    .command('classify')
    .description('classify images on this machine, on all cores and without any server')
    .argument('<images...>', 'files, folders (all images below them), or s3://bucket/prefix')
    .option(
      '--model <name>',
      'a folder in models/, or the path of one (default: WHISKLENS_MODEL, or the one in the box that suits the engine)',
    )
    .option('--engine <name>', 'what runs it (default: WHISKLENS_ENGINE, or auto, the fastest that works)')
    .option(
      '--workers <count>',
      'threads, each with a model of its own',
      wholeNumber(1, 256),
      availableParallelism(),
    )
    .option('--top <count>', 'labels for each image', wholeNumber(1, 1000), 5)
  connectionOptions(outputOptions(command, 'print a record for each image, one a line'))
    .addHelpText(
      'after',
      `
Results come in the order of the images. In folders, jpg, jpeg, png, webp, gif, avif, tif and tiff count as images.

Examples:
  whisklens classify cat.jpg photos/
  whisklens classify --json photos/ > labels.jsonl
  whisklens classify --json --top 1 photos/ | jq -r '[.file, .labels[0].label] | @tsv'
  whisklens classify s3://images/2026/`,
    )
    .action(run)
}

async function run(paths: string[], options: ClassifyOptions): Promise<void> {
  const started = Date.now()
  // First of all: a worker takes longer to start than it takes to find the settings and the first images.
  const isOne = paths.length === 1 && isImageName(paths[0] as string)
  const pool = openPool(join(__dirname, 'classify-worker.cjs'), options.workers, isOne ? 1 : 2)
  const counts = await classifyAll(paths, options, pool).finally(pool.close)
  const seconds = (Date.now() - started) / 1000
  const failed = counts.failed > 0 ? `, ${counts.failed} in error` : ''
  const rate = (counts.found / seconds).toFixed(1)
  const { model, engine } = counts.used ?? {}
  const how = model ? `, by ${model} on ${engine}` : ''
  const what = `Classified ${plural(counts.ok, 'image')}${failed}`
  note(`${what} in ${seconds.toFixed(1)} s (${rate}/s)${how}`, options)
  process.exitCode = exitCodeOf(counts)
}

interface Counts {
  found: number
  ok: number
  failed: number
  /** What classified the first image: the same as all others. */
  used?: Pick<Classified, 'model' | 'engine'>
}

/** Prints what each image is. @throws WhisklensError when there is none, or none can be classified */
async function classifyAll(paths: string[], options: ClassifyOptions, pool: ClassifyPool) {
  const connection = await resolveConnection(options)
  const { model = connection.settings.model, engine = connection.settings.engine, top, workers } = options
  // What is downloaded waits in memory for its turn.
  const downloads = pLimit(workers * tasksPerWorker + 4)
  const progress = startProgress('images', { ...options, withLines: true })
  const counts: Counts = { found: 0, ok: 0, failed: 0 }
  let isGrowing = true

  async function* images() {
    yield* sourcesOf(paths, () => needStore(connection))
    isGrowing = false
  }

  async function classify({ file, download, error }: Source): Promise<Answer> {
    counts.found++
    if (error) return { file, error }
    const task = async () => pool.run({ image: download ? await download() : file, model, engine, top })
    const answer = await (download ? downloads(task) : task()).catch((thrown) => ({
      error: problemOf(thrown),
    }))
    return { file, ...answer }
  }

  try {
    for await (const answer of readAhead(images(), workers * aheadPerWorker, classify)) {
      if (answer.fatal) throw new WhisklensError(answer.fatal.code, answer.fatal.message, answer.fatal)
      counts[answer.error ? 'failed' : 'ok']++
      counts.used ??= answer.classified
      await printAnswer(answer, options)
      const { found: total, ok, failed: errors } = counts
      progress.update({ done: ok + errors, total, errors, isGrowing })
    }
  } finally {
    progress.stop()
  }
  if (counts.found > 0) return counts
  throw new WhisklensError('nothing_found', 'There is no image to classify', {
    hint: 'In folders, files count by their extension: jpg, jpeg, png, webp, gif, avif, tif, tiff.',
  })
}

function printAnswer({ file, classified, error }: Answer, { json }: OutputOptions) {
  if (json) {
    const { labels = [], ...rest } = classified ?? {}
    return printJson({ file, labels, ...rest, error })
  }
  const labels = classified?.labels.map(({ label, probability }) => `${label} ${percent(probability)}`)
  return print(
    `${printable(file)}  ${labels?.join(', ') ?? `error: ${error?.code}, ${printable(error?.message ?? '')}`}\n`,
  )
}
