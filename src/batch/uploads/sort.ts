import { readAhead } from '../../read-ahead'
import type { ImageRecord } from '../../schema'
import type { Bucket } from '../../storage/store'
import { putJsonLines } from '../records/json-lines'
import { newestRecords } from '../records/merge'
import { recordsInOrder } from '../records/parts'
import { addUsage } from '../records/usage'
import type { Batch, Sorted, UsageSum } from '../state/batch'
import { batchFolder, position } from '../state/layout'
import type { Lease } from '../state/lease'
import type { Context } from '../state/platform'
import { type Arrival, arrivalsAt, listArrivals, readArrival } from './arrivals'

/*
 * A large day does not fit into memory. So what came of it is sorted in portions, which are read side by side.
 */

/** A portion has so many arrivals, or bytes of them, or images that were found by looks. */
const most = { arrivals: 1000, bytes: 8 * 1024 * 1024, images: 10_000 }

/** No activation that began to write an arrival so long ago is still alive, even if clocks differ; milliseconds. */
const longestWrite = 5 * 60 * 1000

const readAtOnce = 16

const sortedKey = (batch: string, n: number, epoch: number): string =>
  `${batchFolder(batch)}sorted/${position(n)}-${epoch}.jsonl`

/** Up to which position all images that looks have found are reported. */
const reportedUpTo = ({ dispatch: { next, pieces } }: Pick<Batch, 'dispatch'>): number =>
  Math.min(next, ...pieces.map(({ start }) => start))

/**
 * Sorts one portion of a day.
 * @param all also one that is small, and arrivals that others may still precede
 * @returns false when there is nothing left that is to be sorted
 */
export async function sortPortion(lease: Lease, context: Context, all: boolean): Promise<boolean> {
  const { results, clock } = context
  const day = lease.batch()
  const { batch, sorted } = day
  const found = await portionOf(results, day, all ? undefined : arrivalsAt(clock.now() - longestWrite))
  const positions = Math.min(reportedUpTo(day), sorted.position + most.images)
  const isFull =
    found.arrivals.length >= most.arrivals ||
    found.bytes >= most.bytes ||
    positions - sorted.position >= most.images
  const isEmpty = found.arrivals.length === 0 && positions === sorted.position
  if (isEmpty || (!isFull && !all)) return false
  const { records, usage } = await readPortion(results, day, found.arrivals, positions)
  const key = sortedKey(batch, sorted.files.length, lease.epoch)
  await putJsonLines(results, key, records)
  const next: Sorted = {
    upTo: found.arrivals.at(-1)?.name ?? sorted.upTo,
    position: positions,
    ok: sorted.ok + found.arrivals.reduce((sum, { ok }) => sum + ok, 0),
    error: sorted.error + found.arrivals.reduce((sum, { error }) => sum + error, 0),
    files: [...sorted.files, key],
  }
  await lease.save((current) =>
    current.sorted.files.length === sorted.files.length ? { ...current, sorted: next, usage } : undefined,
  )
  return true
}

async function portionOf(results: Bucket, { batch, sorted }: Batch, before: string | undefined) {
  const arrivals: Arrival[] = []
  let bytes = 0
  for await (const arrival of listArrivals(results, batch, sorted.upTo)) {
    if (before !== undefined && arrival.name >= before) break
    arrivals.push(arrival)
    bytes += arrival.bytes
    if (arrivals.length >= most.arrivals || bytes >= most.bytes) break
  }
  return { arrivals, bytes }
}

/** What some arrivals and parts hold: the newest record of each image, in order, and what all so far has used. */
async function readPortion(
  results: Bucket,
  { batch, sorted, usage: before }: Batch,
  arrivals: Arrival[],
  upTo: number,
): Promise<{ records: ImageRecord[]; usage: UsageSum }> {
  const newest = newestRecords()
  const usage = structuredClone(before)
  const range = { start: sorted.position, end: upTo }
  if (upTo > sorted.position) {
    for await (const part of recordsInOrder(results, batch, range)) {
      for (const record of part.records) newest.add(record)
      if (part.usage) addUsage(usage, part.usage)
    }
  }
  const read = ({ name }: Arrival) => readArrival(results, batch, name)
  for await (const arrival of readAhead(arrivals, readAtOnce, read)) {
    for (const record of arrival.records) newest.add(record)
    if (arrival.usage) addUsage(usage, arrival.usage)
  }
  return { records: newest.inOrder(), usage }
}

/**
 * What of an open day is not sorted yet, in order, and what all of the day has used so far: bounded, as long as its
 * holder keeps pace.
 */
export async function readUnsorted(
  results: Bucket,
  day: Batch,
): Promise<{ records: ImageRecord[]; usage: UsageSum }> {
  const arrivals: Arrival[] = []
  for await (const arrival of listArrivals(results, day.batch, day.sorted.upTo)) arrivals.push(arrival)
  return readPortion(results, day, arrivals, day.dispatch.next)
}
