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
 * A large day does not fit in memory, so it is sorted in portions, which are merged while they are read.
 */

/** A portion ends at this many arrivals, bytes of arrivals, or images found by scans. */
const maxPortion = { arrivals: 1000, bytes: 8 * 1024 * 1024, images: 10_000 }

/**
 * An arrival may appear up to this long after the time in its name, milliseconds: writing takes time, clocks differ.
 */
const maxWriteTime = 5 * 60 * 1000

const readAtOnce = 16

const sortedKey = (batch: string, n: number, epoch: number): string =>
  `${batchFolder(batch)}sorted/${position(n)}-${epoch}.jsonl`

/** The position before which every scanned image is reported. */
const reportedUpTo = ({ dispatch: { next, pieces } }: Pick<Batch, 'dispatch'>): number =>
  Math.min(next, ...pieces.map(({ start }) => start))

/**
 * Sorts one portion of a day.
 * @param all also a small portion, and arrivals that others may still precede
 * @returns false when nothing is left to sort
 */
export async function sortPortion(lease: Lease, context: Context, all: boolean): Promise<boolean> {
  const { results, clock } = context
  const day = lease.batch()
  const { batch, sorted } = day
  const found = await portionOf(results, day, all ? undefined : arrivalsAt(clock.now() - maxWriteTime))
  const positions = Math.min(reportedUpTo(day), sorted.position + maxPortion.images)
  const isFull =
    found.arrivals.length >= maxPortion.arrivals ||
    found.bytes >= maxPortion.bytes ||
    positions - sorted.position >= maxPortion.images
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
    if (arrivals.length >= maxPortion.arrivals || bytes >= maxPortion.bytes) break
  }
  return { arrivals, bytes }
}

/** Reads arrivals and parts: the newest record of each image, sorted, and the day's usage so far. */
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
 * The unsorted records of an open day, in order, and the day's usage so far. Bounded, as long as its holder keeps up.
 */
export async function readUnsorted(
  results: Bucket,
  day: Batch,
): Promise<{ records: ImageRecord[]; usage: UsageSum }> {
  const arrivals: Arrival[] = []
  for await (const arrival of listArrivals(results, day.batch, day.sorted.upTo)) arrivals.push(arrival)
  return readPortion(results, day, arrivals, day.dispatch.next)
}
