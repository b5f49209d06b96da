import { gunzipSync } from 'node:zlib'
import * as z from 'zod'
import { StorageError } from '../../errors'
import type { Bucket } from '../../storage/store'
import type { IndexSoFar } from './index-builder'
import { endMark, type IndexDirectory, recordsPerChunk } from './index-format'

const sectionSchema = z.tuple([z.int(), z.int()]).meta({ typeName: '[first byte, bytes]' })

export const directorySchema = z.strictObject({
  schema: z.literal('whisklens.index/1').describe('Name and version of this format.'),
  rows: z.int().describe('Rows: one per record, in the order of the results.'),
  labels: z
    .array(
      z.strictObject({
        label: z.string().describe('The first name of the class.'),
        className: z.string().describe('All names of the class.'),
        wordnetId: z.string().describe('Synset in WordNet; empty where there is none.'),
      }),
    )
    .describe('Labels. Columns hold their positions in this list, and so for the lists below.'),
  codes: z.array(z.string()).describe('Codes of errors.'),
  cameras: z.array(z.string()).describe('Makes and models of cameras, 1000 at most.'),
  buckets: z.array(z.string()).describe('Buckets.'),
  blocks: z
    .array(
      z.strictObject({
        rows: z.int().describe('Rows of the block.'),
        columns: sectionSchema.describe('Where the columns are.'),
        others: sectionSchema.describe('Where the second to the fifth label of each row are.'),
        keys: sectionSchema.describe('Where the keys are.'),
        records: z.int().describe('First byte of the records.'),
        chunks: z.array(z.int()).describe(`Bytes of each chunk of ${recordsPerChunk} records.`),
      }),
    )
    .describe('Blocks of rows, in order.'),
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
