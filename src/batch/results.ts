import { z } from 'zod'
import { StorageError } from '../errors'
import type { ImageRecord } from '../schema'
import type { Bucket } from '../storage/store'
import { recordsOfBatch } from './close'
import { partsPrefix, resultsKey } from './layout'
import { fromJsonLines } from './parts'
import { readPlan } from './plan'

/** The ids of all batches, with the uploads of each day among them. */
export const listBatches = (results: Bucket): AsyncGenerator<string> => results.folders('batches/')

/** What of a batch's records is asked for. */
export const querySchema = z.object({
  /** Part of the top label's names. */
  label: z.string().optional(),
  status: z.enum(['ok', 'error']).optional(),
  prefix: z.string().optional(),
  minProbability: z.coerce.number().min(0).max(1).optional(),
  limit: z.coerce.number().int().positive().max(1000).default(100),
})
export type ResultsQuery = z.infer<typeof querySchema>

export function matches({ label, status, prefix, minProbability }: ResultsQuery) {
  const wanted = label?.toLowerCase()
  return (record: ImageRecord): boolean => {
    const top = record.labels[0]
    return (
      (status === undefined || record.status === status) &&
      (prefix === undefined || record.key.startsWith(prefix)) &&
      (wanted === undefined || (top?.className.toLowerCase().includes(wanted) ?? false)) &&
      (minProbability === undefined || (top?.probability ?? 0) >= minProbability)
    )
  }
}

/**
 * The records of a batch in the order of their keys: from its results once it is closed, from its parts before.
 * @throws StorageError `batch_not_found`
 */
export async function* readResults(results: Bucket, batch: string): AsyncGenerator<ImageRecord> {
  const closed = resultsKey(batch, 'results.jsonl')
  if (await results.head(closed)) {
    for await (const line of results.lines(closed)) yield JSON.parse(line) as ImageRecord
    return
  }
  const plan = await readPlan(results, batch)
  if (plan) return yield* recordsOfBatch(results, plan)
  yield* uploadsOf(results, batch)
}

/** Uploads come in any order and more than once: the newest version of each key is the one that counts. */
async function* uploadsOf(results: Bucket, batch: string): AsyncGenerator<ImageRecord> {
  const newest = new Map<string, ImageRecord>()
  let found = false
  for await (const { key } of results.list({ prefix: partsPrefix(batch) })) {
    found = true
    for (const record of fromJsonLines<ImageRecord>((await results.get(key)).body)) {
      const known = newest.get(`${record.bucket}/${record.key}`)
      if (!known || known.at < record.at) newest.set(`${record.bucket}/${record.key}`, record)
    }
  }
  if (!found) throw new StorageError('batch_not_found', 404, `There is no batch "${batch}"`)
  yield* newest.values()
}
