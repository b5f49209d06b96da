import { type ImageRef, imageRefSchema } from '../../schema'
import type { Bucket } from '../../storage/store'
import type { Plan } from '../state/batch'
import { type Chunk, chunkKey, chunksPrefix, parseChunkKey, position } from '../state/layout'
import { fromJsonLines, putJsonLines } from './json-lines'

/** Writes the images of a chunk. It is published when the batch counts its positions as planned. */
export const writeChunk = (results: Bucket, batch: string, chunk: Chunk, images: ImageRef[]): Promise<void> =>
  putJsonLines(results, chunkKey(batch, chunk), images)

/** Reads the images of a chunk. @throws StorageError when it does not exist */
export async function readChunk(results: Bucket, batch: string, chunk: Chunk): Promise<ImageRef[]> {
  const { body } = await results.get(chunkKey(batch, chunk))
  return fromJsonLines(body).map((image) => imageRefSchema.parse(image))
}

/**
 * Lists the published chunks from a position, each starting where the one before ended. Of two chunks with the same
 * start the later epoch counts: it started there because the earlier one was never published.
 * @param start where a published chunk begins
 * @param max chunks to return
 */
export async function chunksFrom(
  results: Bucket,
  batch: string,
  { planned }: Pick<Plan, 'planned'>,
  start: number,
  max: number,
): Promise<Chunk[]> {
  const prefix = chunksPrefix(batch)
  const latest = new Map<number, Chunk>()
  for await (const { key } of results.list({ prefix, startAfter: prefix + position(start) })) {
    const chunk = parseChunkKey(key)
    if (!chunk) continue
    if (chunk.start >= planned || latest.size > max) break
    if (chunk.epoch > (latest.get(chunk.start)?.epoch ?? -1)) latest.set(chunk.start, chunk)
  }
  const chunks: Chunk[] = []
  let chunk = latest.get(start)
  for (; chunk && chunks.length < max; chunk = latest.get(chunk.end)) chunks.push(chunk)
  return chunks
}
