import { BatchTakenOverError } from '../../errors'
import { readAhead } from '../../read-ahead'
import { type ImageRecord, type ImageRef, imageRefSchema, type Range } from '../../schema'
import { putOnce } from '../../storage/put-once'
import type { Bucket } from '../../storage/store'
import { fromJsonLines, toJsonLines } from '../json-lines'
import { chunkKey, type Part, parsePartKey, partKey, partsFrom, partsPrefix } from '../layout'
import type { Plan } from '../plan/plan'
import { contiguousEnd } from '../run/coverage'
import { toMetadata, type Usage, usageOf } from '../summary/usage'

/**
 * Writes the records of one range, whole and once: a repeat by the same activation has the same name and bytes.
 * @param usage what the activation used, to be counted with the part
 * @returns the part's key
 */
export async function writePart(
  results: Bucket,
  batch: string,
  start: number,
  records: ImageRecord[],
  activationId: string,
  usage?: Usage,
): Promise<string> {
  const errors = records.filter(({ status }) => status === 'error').length
  const key = partKey(batch, { start, end: start + records.length, errors }, activationId)
  await results.put(key, toJsonLines(records), {
    contentType: 'application/x-ndjson',
    metadata: usage && toMetadata(usage),
  })
  return key
}

/** The parts that begin at `start` or later, by name. */
export async function* listParts(results: Bucket, batch: string, start = 0): AsyncGenerator<Part> {
  for await (const { key } of results.list({
    prefix: partsPrefix(batch),
    startAfter: partsFrom(batch, start),
  })) {
    const part = parsePartKey(key)
    if (part) yield part
  }
}

/** Whether every position of a plan lies in some part. */
export async function isReported(results: Bucket, plan: Plan): Promise<boolean> {
  const parts: Range[] = []
  for await (const { start, end } of listParts(results, plan.batch)) parts.push({ start, end })
  return contiguousEnd(parts, 0) >= plan.planned
}

/** Records that follow each other, of one part. */
export interface Piece {
  part: Part
  /** Position of the first record. */
  start: number
  records: ImageRecord[]
  /** What the activation that wrote the part used. */
  usage?: Usage
}

/** Where reading goes on: the part to begin with, and the first position that has not been read. */
export interface PieceStart {
  part: string
  next: number
}

/** So many parts are read ahead of the one in use. */
export const partsAhead = 8

/**
 * What the parts of a plan's positions `start` to `end` hold, in order, each position once: where parts overlap, the
 * first name wins. Parts of which nothing is needed are not read.
 * @param from where an earlier reading of the same positions stopped
 * @param ahead how many parts are read ahead: they are in memory
 */
export async function* piecesInOrder(
  results: Bucket,
  batch: string,
  { start, end }: Range,
  { from, ahead = partsAhead }: { from?: PieceStart; ahead?: number } = {},
): AsyncGenerator<Piece> {
  const needed = neededParts(results, batch, { start, end }, from)
  const read = readAhead(needed, ahead, async (need) => ({
    ...need,
    object: await results.get(need.part.key),
  }))
  for await (const { part, next, object } of read) {
    const records = fromJsonLines<ImageRecord>(object.body).slice(next - part.start)
    yield { part, start: next, records, usage: usageOf(object.metadata) }
  }
}

/** The parts that hold positions which no part before them holds, and the first such position. */
async function* neededParts(results: Bucket, batch: string, { start, end }: Range, from?: PieceStart) {
  let next = from?.next ?? start
  const first = from && parsePartKey(from.part)
  for await (const part of listParts(results, batch, first?.start ?? start)) {
    if (part.start >= end) break
    if (part.end <= next || (from && part.key < from.part)) continue
    yield { part, next: Math.max(next, part.start) }
    next = part.end
  }
}

/** The images of one chunk of a plan. @throws StorageError when there is no such chunk */
export async function readChunk(results: Bucket, batch: string, chunk: Range): Promise<ImageRef[]> {
  const { body } = await results.get(chunkKey(batch, chunk))
  return fromJsonLines(body).map((image) => imageRefSchema.parse(image))
}

/**
 * Writes the images of one chunk, to be dispatched from then on. What is there already was written by an activation
 * that is gone, or by the one in charge, in whose place the caller wrongly believes to be.
 * @param isInCharge whether the caller may replace it
 * @throws BatchTakenOverError when it may not
 */
export async function writeChunk(
  results: Bucket,
  batch: string,
  start: number,
  images: ImageRef[],
  isInCharge: () => Promise<boolean> = async () => true,
): Promise<void> {
  const key = chunkKey(batch, { start, end: start + images.length })
  const body = toJsonLines(images)
  const write = (replaces: string | null) => putOnce(results, key, body, replaces, 'application/x-ndjson')
  if ((await write(null)) !== undefined) return
  const found = await results.head(key)
  if ((await isInCharge()) && (await write(found?.etag ?? null)) !== undefined) return
  throw new BatchTakenOverError(batch)
}
