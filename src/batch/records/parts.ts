import * as z from 'zod'
import { readAhead } from '../../read-ahead'
import type { ImageRecord, Range } from '../../schema'
import type { Bucket } from '../../storage/store'
import { type Part, parsePartKey, partKey, partsPrefix, position } from '../state/layout'
import { fromJsonLines, putJsonLines } from './json-lines'
import { outcomesOf } from './record'
import { type Usage, usageOf } from './usage'

/**
 * Writes the records of one range, whole and once: a repeat by the same activation has the same name and bytes.
 * @param usage what the activation used, to be counted with the part
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

/** The parts that begin at `start` or later, by name. */
export async function* listParts(results: Bucket, batch: string, start = 0): AsyncGenerator<Part> {
  const prefix = partsPrefix(batch)
  for await (const { key } of results.list({ prefix, startAfter: prefix + position(start) })) {
    const part = parsePartKey(key)
    if (part) yield part
  }
}

/** Records that follow each other, of one part. */
interface PartRecords {
  /** The part's key. */
  part: string
  /** Position of the first record. */
  start: number
  records: ImageRecord[]
  /** What the activation that wrote the part used; not where an earlier reading had begun with it. */
  usage?: Usage
}

/** Where reading goes on: the part that was in use, and the first position that has not been read. */
export const partPositionSchema = z.strictObject({ part: z.string(), next: z.int() })
export type PartPosition = z.infer<typeof partPositionSchema>

/** So many parts are read ahead of the one in use. */
const partsAhead = 8

/**
 * What the parts of positions `start` to `end` hold, in order, each position once: where parts overlap, the first name
 * wins. Parts of which nothing is needed are not read.
 * @param from where an earlier reading of the same positions stopped
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

/** The parts that hold positions which no part before them holds, and the first such position. */
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
