import { createHash } from 'node:crypto'
import { Readable } from 'node:stream'
import { emptyIndex, openIndexBuilder } from '../../batch/reports/index-builder'
import type { StoredIndex } from '../../batch/reports/index-file'
import { readResultsAfter } from '../../batch/reports/results'
import { openIndexKey, openIndexPrefix } from '../../batch/state/layout'
import type { Bucket } from '../../storage/store'

/** Rows per block. */
const blockRows = 10_000

/** Maximum number of rows in the index of an open batch, about 35 MB. */
export const maxRows = { value: 150_000 }

/** Number of indexes kept per batch, for pages that still use an old one. */
const maxKept = 3

/** An index and its id. */
export interface NamedIndex {
  index: StoredIndex
  id: string
  isPartial: boolean
}

/**
 * Writes an index of an open batch. Its name depends on its content, so writing the same again changes nothing.
 * @param stopAt when to stop adding rows, milliseconds since the epoch
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
  await deleteOlder(results, batch, key)
  return { index: { key, etag, directory: soFar.directory }, id: `open-${id}`, isPartial }
}

async function deleteOlder(results: Bucket, batch: string, newest: string): Promise<void> {
  const others: { key: string; lastModified: string }[] = []
  for await (const { key, lastModified } of results.list({ prefix: openIndexPrefix(batch) }))
    if (key !== newest) others.push({ key, lastModified })
  others.sort((a, b) => (a.lastModified < b.lastModified ? 1 : -1))
  const older = others.slice(maxKept - 1).map(({ key }) => key)
  if (older.length > 0) await results.deleteAll(older)
}
