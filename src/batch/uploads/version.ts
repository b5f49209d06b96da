import { msOf } from '../../clock'
import type { ImageRecord } from '../../schema'
import type { Bucket } from '../../storage/store'
import { fromJsonLines } from '../records/json-lines'
import type { Batch } from '../state/batch'
import { partsPrefix, position } from '../state/layout'
import { arrivalsFrom } from './arrivals'

/** The newest of what looks have found and was reported lies that near to the last position that was given out. */
const nearLast = 1_000

/** So many of the newest objects are read at most: those that tell of lost images name no version that answered. */
const maxRead = 3

/** What was classified last in a day. */
export interface Newest {
  /** The version of the model that answered: deployed anew in the course of a day, looks go by other records. */
  version?: string
  /** The key of the last arrival. */
  arrival?: string
}

/** What was classified last in a day, of what notifications told and what looks have found. */
export async function newestOf(
  { batch, sorted, dispatch }: Pick<Batch, 'batch' | 'sorted' | 'dispatch'>,
  { results }: { results: Bucket },
): Promise<Newest> {
  const parts = partsPrefix(batch)
  const from = parts + position(Math.max(0, dispatch.next - nearLast))
  const found: { key: string; at: number }[] = []
  for await (const { key, lastModified } of results.list({ prefix: parts, startAfter: from }))
    found.push({ key, at: msOf(lastModified) })
  // The last one that is sorted, and all behind it.
  let last: { key: string; at: number } | undefined
  for await (const { key, at } of arrivalsFrom(results, batch, sorted.upTo)) last = { key, at }
  if (last) found.push(last)
  const newest = found.sort((a, b) => b.at - a.at).slice(0, maxRead)
  for (const { key } of newest) {
    const records = fromJsonLines<ImageRecord>((await results.get(key)).body)
    const answered = records.findLast(({ engine }) => engine !== 'none')
    if (answered) return { version: answered.model, arrival: last?.key }
  }
  return { arrival: last?.key }
}
