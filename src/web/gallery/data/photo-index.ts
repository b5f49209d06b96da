import pLimit from 'p-limit'
import type { IndexAnswer, IndexColumns, IndexDirectory, IndexOthers } from '../contract'
import { addBlock, type Columns, emptyColumns } from './columns'
import { overlayOf } from './overlay'
import { type IndexSource, readSections } from './sections'

/** An index, as far as it is loaded. */
export interface PhotoIndex {
  id: string
  batch: string
  source: IndexSource
  directory: IndexDirectory
  isPartial: boolean
  /** Display names of labels. */
  names: string[]
  columns: Columns
  /** Number of rows loaded, from the first. */
  rows: number
}

/** Concurrent requests: browsers open six connections per host. */
const atOnce = 6

/**
 * Loads the columns.
 * @param progress called whenever more of the first rows are loaded
 * @throws GalleryError
 */
export async function loadIndex(
  fetcher: typeof fetch,
  { summary, index: { id, url, etag, isPartial, ...directory }, shown }: IndexAnswer,
  progress: (index: PhotoIndex) => void,
  abort?: AbortSignal,
): Promise<PhotoIndex> {
  const overlay = overlayOf(directory.labels, shown)
  const columns = emptyColumns(directory.rows)
  const { names } = overlay
  const source = { url, etag }
  const index: PhotoIndex = {
    ...{ id, source, isPartial, directory, names, columns, batch: summary.batch },
    rows: 0,
  }
  const waiting = new Set(directory.blocks)
  const limit = pLimit(atOnce)
  const firsts = firstRows(directory)
  const loading = directory.blocks.map((block, at) =>
    limit(async () => {
      abort?.throwIfAborted()
      const wanted = overlay.top ? [block.columns, block.others] : [block.columns]
      const [found, others] = await readSections(fetcher, source, wanted, abort)
      addBlock(columns, firsts[at] ?? 0, found as IndexColumns, overlay, others as IndexOthers | undefined)
      waiting.delete(block)
      const next = directory.blocks.findIndex((one) => waiting.has(one))
      const rows = next < 0 ? directory.rows : (firsts[next] ?? 0)
      if (rows === index.rows) return
      index.rows = rows
      progress({ ...index })
    }),
  )
  await Promise.all(loading)
  return index
}

/** First row of each block. */
export function firstRows({ blocks }: IndexDirectory): number[] {
  let row = 0
  return blocks.map((block) => {
    row += block.rows
    return row - block.rows
  })
}
