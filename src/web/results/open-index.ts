import { createHash } from 'node:crypto'
import { Readable } from 'node:stream'
import { emptyIndex, openIndexBuilder } from '../../batch/reports/index-builder'
import type { StoredIndex } from '../../batch/reports/index-file'
import { readResultsAfter } from '../../batch/reports/results'
import { openIndexKey, openIndexPrefix } from '../../batch/state/layout'
import type { Bucket } from '../../storage/store'

/** Rows of a block. */
const blockRows = 10_000

/** So many rows are indexed at most, some 35 MB; more once the batch is closed. */
export const maxRows = { value: 150_000 }

/** So many indexes of a batch are kept, for pages that still show one. */
const maxKept = 3

/** An index, and how requests name it. */
export interface NamedIndex {
  index: StoredIndex
  id: string
  isPartial: boolean
}

/**
 * Writes an index of what an open batch has so far. It is named by what it holds: one that is written once more is the same.
 * @param stopAt when to leave out the rest, milliseconds since the epoch
 */
export async function writeOpenIndex(results: Bucket, batch: string, stopAt: number): Promise<NamedIndex> {
  const soFar = emptyIndex()
  const builder = openIndexBuilder(soFar)
  const blocks: Buffer[] = []
  let rows = 0
  let isPartial = false
  for await (const { record } of readResultsAfter(results, batch)) {
    isPartial = rows >= maxRows.value || Date.now() > stopAt
    if (isPartial) break
    builder.add(record, `${JSON.stringify(record)}\n`)
    if (++rows % blockRows === 0) blocks.push(builder.block())
  }
  blocks.push(builder.block())
  blocks.push(builder.end())
  const hash = createHash('sha256')
  for (const block of blocks) hash.update(block)
  const id = hash.digest('hex').slice(0, 32)
  const key = openIndexKey(batch, id)
  const etag = await results.putStream(
    key,
    Readable.from(blocks, { objectMode: false }),
    'application/octet-stream',
  )
  await dropOlder(results, batch, key)
  return { index: { key, etag, directory: soFar.directory }, id: `open-${id}`, isPartial }
}

async function dropOlder(results: Bucket, batch: string, newest: string): Promise<void> {
  const others: { key: string; lastModified: string }[] = []
  for await (const { key, lastModified } of results.list({ prefix: openIndexPrefix(batch) }))
    if (key !== newest) others.push({ key, lastModified })
  others.sort((a, b) => (a.lastModified < b.lastModified ? 1 : -1))
  const older = others.slice(maxKept - 1).map(({ key }) => key)
  if (older.length > 0) await results.deleteAll(older)
}
