import { type ImageRef, imageRefSchema } from '../../schema'
import type { Bucket } from '../../storage/store'
import type { Plan } from '../state/batch'
import { type Chunk, chunkKey, chunksPrefix, parseChunkKey, position } from '../state/layout'
import { fromJsonLines, putJsonLines } from './json-lines'

/** Writes the images of one chunk. It counts from when the batch says that its positions are planned. */
export const writeChunk = (results: Bucket, batch: string, chunk: Chunk, images: ImageRef[]): Promise<void> =>
  putJsonLines(results, chunkKey(batch, chunk), images)

/** The images of one chunk. @throws StorageError when there is no such chunk */
export async function readChunk(results: Bucket, batch: string, chunk: Chunk): Promise<ImageRef[]> {
  const { body } = await results.get(chunkKey(batch, chunk))
  return fromJsonLines(body).map((image) => imageRefSchema.parse(image))
}

/**
 * The published chunks from a position on, each from where the one before ended. Of two that begin at one position, the
 * later planning counts: it began there because the earlier one was never published.
 * @param start where a published chunk begins
 * @param most how many are wanted
 */
export async function chunksFrom(
  results: Bucket,
  batch: string,
  { planned }: Pick<Plan, 'planned'>,
  start: number,
  most: number,
): Promise<Chunk[]> {
  const prefix = chunksPrefix(batch)
  const latest = new Map<number, Chunk>()
  for await (const { key } of results.list({ prefix, startAfter: prefix + position(start) })) {
    const chunk = parseChunkKey(key)
    if (!chunk) continue
    if (chunk.start >= planned || latest.size > most) break
    if (chunk.epoch > (latest.get(chunk.start)?.epoch ?? -1)) latest.set(chunk.start, chunk)
  }
  const chunks: Chunk[] = []
  let chunk = latest.get(start)
  for (; chunk && chunks.length < most; chunk = latest.get(chunk.end)) chunks.push(chunk)
  return chunks
}
