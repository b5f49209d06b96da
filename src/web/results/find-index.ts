import { readIndex, type StoredIndex } from '../../batch/reports/index-file'
import { indexChanged, isGone } from '../../batch/reports/index-rows'
import { hasFiles } from '../../batch/reports/results'
import { openIndexKey, resultsKey } from '../../batch/state/layout'
import type { BatchSummary } from '../../schema'
import type { Bucket } from '../../storage/store'
import { type NamedIndex, writeOpenIndex } from './open-index'

/** Latest index of a batch: the one from its closing, else one written now. @param stopAt as {@link writeOpenIndex} */
export async function newestIndex(
  results: Bucket,
  summary: BatchSummary,
  stopAt: number,
): Promise<NamedIndex> {
  const closed = hasFiles(summary)
    ? await ifThere(results, resultsKey(summary.batch, 'index.bin'))
    : undefined
  if (closed) return { index: closed, id: closed.etag, isPartial: false }
  return writeOpenIndex(results, summary.batch, stopAt)
}

/**
 * An index by its id.
 * @throws StorageError `index_changed` if it was replaced
 */
export async function indexById(results: Bucket, batch: string, id: string): Promise<StoredIndex> {
  const open = /^open-([0-9a-f]{32})$/.exec(id)?.[1]
  const index = await ifThere(results, open ? openIndexKey(batch, open) : resultsKey(batch, 'index.bin'))
  if (!index || (!open && index.etag !== id)) throw indexChanged()
  return index
}

/** Undefined also if it is replaced while being read. */
const ifThere = (results: Bucket, key: string): Promise<StoredIndex | undefined> =>
  readIndex(results, key).catch((thrown) => {
    if (isGone(thrown)) return undefined
    throw thrown
  })
