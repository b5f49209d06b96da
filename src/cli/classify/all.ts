import pLimit from 'p-limit'
import { WhisklensError } from '../../errors'
import { readAhead } from '../../read-ahead'
import { needStore, resolveConnection } from '../shared/connection'
import { countName, reportSkipped, type Tally } from '../shared/image-names'
import { type OutputOptions, percent, print, printable, printJson } from '../shared/output'
import { startProgress } from '../shared/progress'
import type { ClassifyOptions } from '.'
import { type ClassifyPool, tasksPerWorker } from './pool'
import { type Source, sourcesOf } from './sources'
import { type Classified, type ClassifyAnswer, problemOf } from './task'

type Answer = Pick<Source, 'file' | 'isUndecoded'> & ClassifyAnswer

/** A slow image holds back so many faster ones behind it, for each worker. They are paths and labels, no pixels. */
const aheadPerWorker = 64

interface Counts {
  found: number
  ok: number
  failed: number
  /** What classified the first image: the same as all others. */
  used?: Pick<Classified, 'model' | 'engine'>
}

/** Prints what each image is. @throws WhisklensError when there is none, or none can be classified */
export async function classifyAll(
  paths: string[],
  options: ClassifyOptions,
  pool: ClassifyPool,
): Promise<Counts> {
  const connection = await resolveConnection(options)
  const {
    model = connection.settings.model,
    engine = connection.settings.engine,
    top,
    workers,
    exif,
  } = options
  // What is downloaded waits in memory for its turn.
  const downloads = pLimit(workers * tasksPerWorker + 4)
  const progress = startProgress('images', { ...options, withLines: true })
  const counts: Counts = { found: 0, ok: 0, failed: 0 }
  const undecoded: Tally = new Map()
  const others: Tally = new Map()
  let isGrowing = true

  async function* images() {
    yield* sourcesOf(paths, () => needStore(connection), others)
    isGrowing = false
  }

  async function classify({ file, download, error, isUndecoded }: Source): Promise<Answer> {
    counts.found++
    if (error) return { file, error, isUndecoded }
    const task = async () => pool.run({ image: download ? await download() : file, model, engine, top, exif })
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
      if (answer.isUndecoded) countName(undecoded, answer.file)
      if (options.json || !answer.isUndecoded) await printAnswer(answer, options)
      const { found: total, ok, failed: errors } = counts
      progress.update({ done: ok + errors, total, errors, isGrowing })
    }
  } finally {
    progress.stop()
  }
  reportSkipped(undecoded, others, options)
  if (counts.found > 0) return counts
  throw new WhisklensError('nothing_found', 'No image to classify', {
    hint: 'Images are JPEG, PNG, WebP, GIF, AVIF, HEIC and TIFF.',
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
