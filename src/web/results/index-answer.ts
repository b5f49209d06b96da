import { InvalidInputError } from '../../errors'
import type { LabelView } from '../../labels/view'
import type { BatchSummary } from '../../schema'
import type { Bucket } from '../../storage/store'
import type { IndexAnswer, Notice } from '../gallery/contract'
import { newestIndex } from './find-index'
import { maxPageBytes } from './page'
import { withKinds } from './with-kinds'

/** Time limit for indexing an open batch, milliseconds. */
const maxDuration = 30_000

/** Time reserved for answering, before the platform ends the activation, milliseconds. */
const timeToAnswer = 10_000

export interface IndexRequest {
  view: LabelView
  notice?: Notice
  /** When the platform ends the activation, milliseconds since the epoch. */
  deadline: number
}

/**
 * Summary and index of a batch.
 * @throws InvalidInputError `answer_too_large` if the directory does not fit into an answer, because of too many labels or images
 */
export async function indexAnswer(
  results: Bucket,
  summary: BatchSummary,
  { view, notice, deadline }: IndexRequest,
): Promise<IndexAnswer> {
  const began = Date.now()
  const stopAt = Math.min(began + maxDuration, deadline - timeToAnswer)
  const { index, id, isPartial } = await newestIndex(results, summary, stopAt)
  const { key, etag, directory } = index
  const { verdict } = view
  const answer: IndexAnswer = {
    summary,
    index: {
      ...withKinds(directory),
      id,
      etag,
      url: results.presignHourly(key, etag).url,
      isPartial,
    },
    shown: verdict && directory.labels.map((label) => verdict(label)),
    took: Date.now() - began,
    notice,
  }
  if (Buffer.byteLength(JSON.stringify(answer)) > maxPageBytes) {
    throw new InvalidInputError('answer_too_large', 'The batch is too large for the gallery', {
      hint: `Export it: whisklens results ${summary.batch} --parquet <file>.`,
    })
  }
  return answer
}
