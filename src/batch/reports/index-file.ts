import { gunzipSync } from 'node:zlib'
import * as z from 'zod'
import { StorageError } from '../../errors'
import type { Bucket } from '../../storage/store'
import type { IndexSoFar } from './index-builder'
import { endMark, type IndexDirectory } from './index-format'

const sectionSchema = z.tuple([z.int(), z.int()])

const directorySchema = z.strictObject({
  schema: z.literal('whisklens.index/1'),
  rows: z.int(),
  labels: z.array(z.strictObject({ label: z.string(), className: z.string(), wordnetId: z.string() })),
  codes: z.array(z.string()),
  cameras: z.array(z.string()),
  buckets: z.array(z.string()),
  blocks: z.array(
    z.strictObject({
      rows: z.int(),
      columns: sectionSchema,
      others: sectionSchema,
      keys: sectionSchema,
      records: z.int(),
      chunks: z.array(z.int()),
    }),
  ),
}) satisfies z.ZodType<IndexDirectory>

export const indexSoFarSchema = z.strictObject({
  directory: directorySchema,
  bytes: z.int(),
}) satisfies z.ZodType<IndexSoFar>

/** An index stored in the results bucket. */
export interface StoredIndex {
  key: string
  etag: string
  directory: IndexDirectory
}

/** Bytes read from the end at first: enough for the directory of all but the largest batches. */
const tailBytes = 128 * 1024

/** After the directory: its length and the end mark. */
const trailerBytes = 8

/**
 * Reads the directory of an index, not its columns or records.
 * @throws StorageError `object_not_found`; `store_failed` when the object is not an index
 */
export async function readIndex(results: Bucket, key: string): Promise<StoredIndex> {
  const { body, etag, size } = await results.ending(key, tailBytes)
  const mark = body.subarray(-endMark.length).toString('latin1')
  if (size < trailerBytes || mark !== endMark)
    throw new StorageError('store_failed', 200, `s3://${results.name}/${key} is not an index`)
  const length = body.readUInt32BE(body.length - trailerBytes)
  const from = size - trailerBytes - length
  const isInTail = length + trailerBytes <= body.length
  const written = isInTail
    ? body.subarray(body.length - trailerBytes - length, body.length - trailerBytes)
    : await results.range(key, from, size - trailerBytes, etag)
  return { key, etag, directory: directorySchema.parse(JSON.parse(gunzipSync(written).toString('utf8'))) }
}
