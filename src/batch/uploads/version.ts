import { msOf } from '../../clock'
import type { ImageRecord } from '../../schema'
import type { Bucket } from '../../storage/store'
import { fromJsonLines } from '../records/json-lines'
import type { Batch } from '../state/batch'
import { partsPrefix, position } from '../state/layout'
import { arrivalsFrom } from './arrivals'

/** The newest reported part lies this close to the last dispatched position. */
const nearLast = 1_000

/** Objects read at most, newest first: reports of lost images name no engine. */
const maxRead = 3

export interface Newest {
  /** The model version in use: after a redeployment, the day switches to it. */
  version?: string
  /** The key of the last arrival. */
  arrival?: string
}

/** What was classified last in a day, by notifications or scans. */
export async function newestOf(
  { batch, sorted, dispatch }: Pick<Batch, 'batch' | 'sorted' | 'dispatch'>,
  { results }: { results: Bucket },
): Promise<Newest> {
  const parts = partsPrefix(batch)
  const from = parts + position(Math.max(0, dispatch.next - nearLast))
  const found: { key: string; at: number }[] = []
  for await (const { key, lastModified } of results.list({ prefix: parts, startAfter: from }))
    found.push({ key, at: msOf(lastModified) })
  // The last sorted arrival and all after it.
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
