import { isoOf, msOf } from '../../clock'
import type { ImageRecord } from '../../schema'
import type { Bucket } from '../../storage/store'
import { fromJsonLines, putJsonLines } from '../records/json-lines'
import { outcomesOf } from '../records/record'
import { type Usage, usageOf } from '../records/usage'
import { batchFolder } from '../state/layout'

/**
 * Records of one activation, of images named by notifications. The name carries the counts, so that a listing suffices.
 */
export interface Arrival {
  name: string
  ok: number
  error: number
  bytes: number
}

const arrivalsPrefix = (batch: string): string => `${batchFolder(batch)}arrivals/`

/** A name that sorts before all arrivals at or after a time. @param time milliseconds since the epoch */
export const arrivalsAt = (time: number): string => isoOf(time).replace(/[:.]/g, '-')

/**
 * Stores the records of one activation as an arrival of a day.
 * @param at when writing began: a repeat has the same name
 */
export async function writeArrival(
  results: Bucket,
  batch: string,
  records: ImageRecord[],
  { at, activationId, usage }: { at: number; activationId: string; usage?: Usage },
): Promise<void> {
  const { ok, error } = outcomesOf(records)
  const name = `${arrivalsAt(at)}-${ok}-${error}-${activationId}.jsonl`
  await putJsonLines(results, arrivalsPrefix(batch) + name, records, usage)
}

/** Lists a day's arrivals from a name on. `at` is in milliseconds since the epoch. */
export async function* arrivalsFrom(results: Bucket, batch: string, name: string) {
  const prefix = arrivalsPrefix(batch)
  // A listing starts after a key; this one sorts just before.
  for await (const { key, lastModified } of results.list({ prefix, startAfter: prefix + name.slice(0, -1) }))
    yield { key, at: msOf(lastModified) }
}

/** Lists the arrivals of a day after a name. */
export async function* listArrivals(results: Bucket, batch: string, after: string): AsyncGenerator<Arrival> {
  const prefix = arrivalsPrefix(batch)
  for await (const { key, size } of results.list({ prefix, startAfter: prefix + after })) {
    const name = key.slice(prefix.length)
    const [, ok, error] = /Z-(\d+)-(\d+)-[^/]*\.jsonl$/.exec(name) ?? []
    if (ok !== undefined) yield { name, ok: Number(ok), error: Number(error), bytes: size }
  }
}

/** Sums the outcomes of the arrivals after a name. */
export async function countArrivals(results: Bucket, batch: string, after: string) {
  const counted = { ok: 0, error: 0 }
  for await (const { ok, error } of listArrivals(results, batch, after)) {
    counted.ok += ok
    counted.error += error
  }
  return counted
}

export async function readArrival(results: Bucket, batch: string, name: string) {
  const { body, metadata } = await results.get(arrivalsPrefix(batch) + name)
  return { records: fromJsonLines<ImageRecord>(body), usage: usageOf(metadata) }
}
