import { z } from 'zod'
import type { Label } from '../../classifier/labels'
import { StorageError } from '../../errors'
import { kindOf } from '../../labels/kinds'
import type { ImageRecord } from '../../schema'
import type { Bucket } from '../../storage/store'
import { recordsOfBatch } from '../close/passes'
import { resultsKey } from '../layout'
import { readPlan } from '../plan/plan'
import { readSummary } from '../summary/summary-object'
import { openUploads } from '../uploads/read'

/** The ids of all batches, with the uploads of each day among them. */
export const listBatches = (results: Bucket): AsyncGenerator<string> => results.folders('batches/')

const probability = 'expected a number from 0 to 1'
const limit = 'expected a whole number from 1 to 1000'

/** What of a batch's records is asked for. */
export const querySchema = z.object({
  /** Part of the top label's names, or what it is a kind of: a WordNet id, or a name such as `dog`. */
  label: z.string().optional(),
  status: z.enum(['ok', 'error']).optional(),
  prefix: z.string().optional(),
  minProbability: z.coerce.number(probability).min(0, probability).max(1, probability).optional(),
  limit: z.coerce.number(limit).int(limit).min(1, limit).max(1000, limit).default(100),
})
export type ResultsQuery = z.infer<typeof querySchema>

export function matches({ label, status, prefix, minProbability }: Omit<ResultsQuery, 'limit'>) {
  const isWanted = label === undefined ? () => true : isLabelled(label)
  return (record: ImageRecord): boolean => {
    const top = record.labels[0]
    return (
      (status === undefined || record.status === status) &&
      (prefix === undefined || record.key.startsWith(prefix)) &&
      isWanted(top) &&
      (minProbability === undefined || (top?.probability ?? 0) >= minProbability)
    )
  }
}

/** Kinds come on top of parts of names: `dog` finds the beagle, and the dog sled all the same. */
function isLabelled(text: string): (label: Label | undefined) => boolean {
  const part = text.toLowerCase()
  const isKind = kindOf(text)
  return (label) =>
    label !== undefined && (label.className.toLowerCase().includes(part) || isKind(label.wordnetId))
}

/** The error of a batch that nobody has started. */
export const batchNotFound = (batch: string): StorageError =>
  new StorageError('batch_not_found', 404, `There is no batch "${batch}"`)

/**
 * The records of a batch in the order of their keys, then of their buckets: from its results once it is closed, from
 * its parts before.
 * @throws StorageError `batch_not_found`
 */
export async function* readResults(results: Bucket, batch: string): AsyncGenerator<ImageRecord> {
  const summary = await readSummary(results, batch)
  // A closed batch that was fired again is open, and has the results of its first closing still.
  const isOpen = summary?.state === 'planning' || summary?.state === 'running'
  const closed = resultsKey(batch, 'results.jsonl')
  if (!isOpen && (await results.head(closed))) {
    for await (const line of results.lines(closed)) yield JSON.parse(line) as ImageRecord
    return
  }
  const plan = await readPlan(results, batch)
  if (plan) return yield* recordsOfBatch(results, plan)
  const uploads = await openUploads(results, batch)
  // The summary is there a moment before the plan.
  if (uploads.parts === 0 && !summary) throw batchNotFound(batch)
  yield* uploads.read().records
}
