import { type ImageRef, imageRefSchema } from '../../schema'
import type { Bucket } from '../../storage/store'
import type { Plan } from '../state/batch'
import { type Chunk, chunkKey, chunksPrefix, parseChunkKey, position } from '../state/layout'
import { fromJsonLines, toJsonLines } from './json-lines'

/** Writes the images of one chunk. It counts from when the batch says that its positions are planned. */
export async function writeChunk(
  results: Bucket,
  batch: string,
  chunk: Chunk,
  images: ImageRef[],
): Promise<void> {
  await results.put(chunkKey(batch, chunk), toJsonLines(images), { contentType: 'application/x-ndjson' })
}

/** The images of one chunk. @throws StorageError when there is no such chunk */
export async function readChunk(results: Bucket, batch: string, chunk: Chunk): Promise<ImageRef[]> {
  const { body } = await results.get(chunkKey(batch, chunk))
  return fromJsonLines(body).map((image) => imageRefSchema.parse(image))
}

/** The epoch whose chunks hold a position: what other holders wrote there was never published. */
export const ownerOf = ({ owners }: Pick<Plan, 'owners'>, start: number): number | undefined =>
  owners.findLast(({ from }) => from <= start)?.epoch

/**
 * The published chunks from a position on, each from where the one before ended: the listing is the truth about where
 * one ends.
 * @param most how many are wanted
 */
export async function chunksFrom(
  results: Bucket,
  batch: string,
  plan: Plan,
  start: number,
  most: number,
): Promise<Chunk[]> {
  const chunks: Chunk[] = []
  let next = start
  const listing = results.list({
    prefix: chunksPrefix(batch),
    startAfter: chunksPrefix(batch) + position(start),
  })
  for await (const { key } of listing) {
    if (chunks.length >= most || next >= plan.planned) break
    const chunk = parseChunkKey(key)
    if (chunk?.start !== next || chunk.epoch !== ownerOf(plan, next)) continue
    chunks.push(chunk)
    next = chunk.end
  }
  return chunks
}
