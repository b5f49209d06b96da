import { InvalidInputError } from '../../errors'
import type { LabelView } from '../../labels/view'
import type { BatchSummary } from '../../schema'
import type { Bucket } from '../../storage/store'
import type { IndexAnswer, Notice } from '../gallery/contract'
import { newestIndex } from './find-index'
import { maxPageBytes } from './page'
import { withKinds } from './with-kinds'

/** Longest time that an index of an open batch may take, milliseconds. */
const longest = 30_000

/** So long before the platform ends the activation, writing an index is given up, milliseconds. */
const timeToAnswer = 10_000

export interface IndexRequest {
  view: LabelView
  notice?: Notice
  /** When the platform ends the activation, milliseconds since the epoch. */
  deadline: number
}

/**
 * How a batch stands, and its index.
 * @throws InvalidInputError `answer_too_large` when the batch has so many labels or images that the directory does not fit
 */
export async function indexAnswer(
  results: Bucket,
  summary: BatchSummary,
  { view, notice, deadline }: IndexRequest,
): Promise<IndexAnswer> {
  const began = Date.now()
  const stopAt = Math.min(began + longest, deadline - timeToAnswer)
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
      hint: `whisklens results ${summary.batch} --parquet <file> has all of it.`,
    })
  }
  return answer
}
