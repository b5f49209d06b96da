import pLimit from 'p-limit'
import type { IndexAnswer, IndexColumns, IndexDirectory, IndexOthers } from '../contract'
import { addBlock, type Columns, emptyColumns } from './columns'
import { overlayOf } from './overlay'
import { type IndexSource, readSections } from './sections'

/** An index as far as it was loaded. */
export interface PhotoIndex {
  id: string
  batch: string
  source: IndexSource
  directory: IndexDirectory
  isPartial: boolean
  /** What labels are shown as. */
  names: string[]
  columns: Columns
  /** So many rows of the columns are there: the first ones. */
  rows: number
}

/** So many blocks are asked for at once: browsers open six connections to a store. */
const atOnce = 6

/**
 * Loads the columns.
 * @param progress is handed the index each time more of its first rows are there
 * @throws Trouble
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

/** The first row of each block. */
export function firstRows({ blocks }: IndexDirectory): number[] {
  let row = 0
  return blocks.map((block) => {
    row += block.rows
    return row - block.rows
  })
}
