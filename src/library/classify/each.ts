import pLimit from 'p-limit'
import { WhisklensError } from '../../errors'
import { readAhead } from '../../read-ahead'
import type { Source } from '../sources/sources'
import { tasksPerWorker } from './pool'
import { type ClassifyAnswer, type ClassifyTask, problemOf } from './task'

/** Outcome of one image. */
export type Answer = Pick<Source, 'file' | 'isUndecoded'> & ClassifyAnswer

/** Per thread. One slow image may hold back this many finished answers (paths and labels, no pixels). */
const aheadPerThread = 64

/**
 * Classifies images concurrently and yields the answers in input order.
 * @param run classifies one image; never rejects
 * @throws WhisklensError if no image can be classified: the model or the engine is missing
 */
export async function* classifyEach(
  sources: AsyncIterable<Source>,
  run: (task: ClassifyTask) => Promise<ClassifyAnswer>,
  { threads, ...how }: Omit<ClassifyTask, 'image'> & { threads: number },
): AsyncGenerator<Answer> {
  // Bounds the downloaded images held in memory.
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
