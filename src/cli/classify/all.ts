import { WhisklensError } from '../../errors'
import { type Answer, classifyEach } from '../../library/classify/each'
import type { ClassifyPool } from '../../library/classify/pool'
import type { Classified } from '../../library/classify/task'
import { type Source, sourcesOf } from '../../library/sources/sources'
import { needStore, resolveConnection } from '../shared/connection'
import { type OutputOptions, percent, print, printable, printJson } from '../shared/output'
import { startProgress } from '../shared/progress'
import { countName, countSkipped, reportSkipped, type Tally } from '../shared/skipped'
import type { ClassifyOptions } from '.'
import { readStdin } from './stdin'

interface Counts {
  found: number
  ok: number
  failed: number
  /** Model and engine; the same for all images. */
  used?: Pick<Classified, 'model' | 'engine'>
}

/** Classifies all images and prints the results. @throws WhisklensError if there is no image, or none can be classified */
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
    workers: threads,
    exif,
  } = options
  const progress = startProgress('images', { ...options, withLines: true })
  const counts: Counts = { found: 0, ok: 0, failed: 0 }
  const undecoded: Tally = new Map()
  const others: Tally = new Map()
  let isGrowing = true

  async function* images(): AsyncGenerator<Source> {
    const context = { store: () => needStore(connection), skip: countSkipped(others) }
    for (const path of paths) {
      const sources = path === '-' ? [{ file: path, download: readStdin }] : sourcesOf(path, context)
      for await (const source of sources) {
        counts.found++
        yield source
      }
    }
    isGrowing = false
  }

  try {
    for await (const answer of classifyEach(images(), pool.run, { model, engine, top, exif, threads })) {
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
    hint: 'Supported formats: JPEG, PNG, WebP, GIF, AVIF, HEIC, TIFF.',
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
