import { type ImageRecord, type ImageRef, imageRefSchema, type Range } from '../schema'
import type { Bucket } from '../storage/store'
import { chunkKey, type Part, parsePartKey, partKey, partsFrom, partsPrefix } from './layout'

/** Lines of JSON, each ended. */
export const toJsonLines = (values: readonly object[]): string =>
  values.map((value) => `${JSON.stringify(value)}\n`).join('')

/** What {@link toJsonLines} wrote. */
export const fromJsonLines = <T>(body: Buffer): T[] =>
  body
    .toString('utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as T)

/**
 * Writes the records of one range, whole and once: a repeat by the same activation has the same name and bytes.
 * @returns the part's key
 */
export async function writePart(
  results: Bucket,
  batch: string,
  start: number,
  records: ImageRecord[],
  activationId: string,
): Promise<string> {
  const errors = records.filter(({ status }) => status === 'error').length
  const key = partKey(batch, { start, end: start + records.length, errors }, activationId)
  await results.put(key, toJsonLines(records), { contentType: 'application/x-ndjson' })
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

/**
 * The records of a plan's positions `start` to `end` in order, each position once: where parts overlap, the first
 * name wins.
 */
export async function* recordsInOrder(
  results: Bucket,
  batch: string,
  { start, end }: Range,
): AsyncGenerator<ImageRecord> {
  let next = start
  for await (const part of listParts(results, batch, start)) {
    if (part.start >= end) break
    if (part.end <= next) continue
    const records = fromJsonLines<ImageRecord>((await results.get(part.key)).body)
    yield* records.slice(Math.max(0, next - part.start))
    next = part.end
  }
}

/** The images of one chunk of a plan. @throws StorageError when there is no such chunk */
export async function readChunk(results: Bucket, batch: string, chunk: Range): Promise<ImageRef[]> {
  const { body } = await results.get(chunkKey(batch, chunk))
  return fromJsonLines(body).map((image) => imageRefSchema.parse(image))
}

/** Writes the images of one chunk, to be dispatched from then on. */
export async function writeChunk(
  results: Bucket,
  batch: string,
  start: number,
  images: ImageRef[],
): Promise<void> {
  const key = chunkKey(batch, { start, end: start + images.length })
  await results.put(key, toJsonLines(images), { contentType: 'application/x-ndjson' })
}
