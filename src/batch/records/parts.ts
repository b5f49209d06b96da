import * as z from 'zod'
import { readAhead } from '../../read-ahead'
import type { ImageRecord, Range } from '../../schema'
import type { Bucket } from '../../storage/store'
import { type Part, parsePartKey, partKey, partsPrefix, position } from '../state/layout'
import { fromJsonLines, putJsonLines } from './json-lines'
import { outcomesOf } from './record'
import { type Usage, usageOf } from './usage'

/**
 * Writes the records of a range once. A repeat by the same activation has the same name and bytes.
 * @param usage of the activation, stored with the part
 */
export async function writePart(
  results: Bucket,
  batch: string,
  start: number,
  records: ImageRecord[],
  activationId: string,
  usage?: Usage,
): Promise<void> {
  const range = { start, end: start + records.length, errors: outcomesOf(records).error }
  await putJsonLines(results, partKey(batch, range, activationId), records, usage)
}

/** Lists the parts that start at `start` or later, by name. */
export async function* listParts(results: Bucket, batch: string, start = 0): AsyncGenerator<Part> {
  const prefix = partsPrefix(batch)
  for await (const { key } of results.list({ prefix, startAfter: prefix + position(start) })) {
    const part = parsePartKey(key)
    if (part) yield part
  }
}

/** Consecutive records of one part. */
interface PartRecords {
  /** The part's key. */
  part: string
  /** Position of the first record. */
  start: number
  records: ImageRecord[]
  /** Usage of the activation that wrote the part; undefined when reading resumed within it. */
  usage?: Usage
}

/** Where to resume: the current part, and the first unread position. */
export const partPositionSchema = z.strictObject({ part: z.string(), next: z.int() })
export type PartPosition = z.infer<typeof partPositionSchema>

/** Parts read ahead. */
const partsAhead = 8

/**
 * Reads the records at positions `start` to `end` in order, each once: where parts overlap the first name wins. Parts
 * that add nothing are not read.
 * @param from where an earlier reading of the range stopped
 */
export async function* recordsInOrder(
  results: Bucket,
  batch: string,
  range: Range,
  from?: PartPosition,
): AsyncGenerator<PartRecords> {
  const read = readAhead(neededParts(results, batch, range, from), partsAhead, async (need) => ({
    ...need,
    object: await results.get(need.part.key),
  }))
  for await (const { part, next, object } of read) {
    const records = fromJsonLines<ImageRecord>(object.body).slice(next - part.start, range.end - part.start)
    const usage = part.key === from?.part ? undefined : usageOf(object.metadata)
    yield { part: part.key, start: next, records, usage }
  }
}

/** The parts that add positions, each with the first position it adds. */
async function* neededParts(results: Bucket, batch: string, { start, end }: Range, from?: PartPosition) {
  let next = from?.next ?? start
  const first = from && parsePartKey(from.part)
  for await (const part of listParts(results, batch, first?.start ?? start)) {
    if (part.start >= end) break
    if (part.end <= next || (from && part.key < from.part)) continue
    yield { part, next: Math.max(next, part.start) }
    next = part.end
  }
}
