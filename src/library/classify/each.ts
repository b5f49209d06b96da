import pLimit from 'p-limit'
import { WhisklensError } from '../../errors'
import { readAhead } from '../../read-ahead'
import type { Source } from '../sources/sources'
import { tasksPerWorker } from './pool'
import { type ClassifyAnswer, type ClassifyTask, problemOf } from './task'

/** What became of one image. */
export type Answer = Pick<Source, 'file' | 'isUndecoded'> & ClassifyAnswer

/** A slow image holds back so many faster ones behind it, for each thread. They are paths and labels, no pixels. */
const aheadPerThread = 64

/**
 * Classifies images, many at a time, and keeps their order.
 * @param run classifies one, and never rejects
 * @throws WhisklensError when none can be classified: the model or the engine is missing
 */
export async function* classifyEach(
  sources: AsyncIterable<Source>,
  run: (task: ClassifyTask) => Promise<ClassifyAnswer>,
  { threads, ...how }: Omit<ClassifyTask, 'image'> & { threads: number },
): AsyncGenerator<Answer> {
  // What is downloaded waits in memory for its turn.
  const downloads = pLimit(threads * tasksPerWorker + 4)

  async function classify({ file, download, error, isUndecoded }: Source): Promise<Answer> {
    if (error) return { file, error, isUndecoded }
    const task = async () => run({ image: download ? await download() : file, ...how })
    const answer = await (download ? downloads(task) : task()).catch((thrown) => ({
      error: problemOf(thrown),
    }))
    return { file, ...answer }
  }

  for await (const answer of readAhead(sources, threads * aheadPerThread, classify)) {
    if (answer.fatal) throw new WhisklensError(answer.fatal.code, answer.fatal.message, answer.fatal)
    yield answer
  }
}
