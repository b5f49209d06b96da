import type { ImageRef } from '../schema'
import type { Bucket, ObjectInfo } from '../storage/store'
import { inOrder, selects } from './keys'
import { recordsPrefix } from './layout'
import { pairWithRecords } from './merge'
import type { Plan } from './plan'
import { readRecord } from './record'

/** A record younger than its image by less than this is read before it is believed: clocks differ, uploads take time. */
const certainAfter = 15 * 60 * 1000

async function* recordsOf(
  results: Bucket,
  { modelVersion, bucket, prefix, cursor }: Plan,
): AsyncGenerator<ObjectInfo> {
  const root = recordsPrefix(modelVersion, bucket)
  const listing = results.list({ prefix: root + prefix, startAfter: cursor && root + cursor })
  for await (const record of listing) yield { ...record, key: record.key.slice(root.length) }
}

/** Where planning stands after some image. */
export type Position = Pick<Plan, 'listed' | 'skipped' | 'planned' | 'cursor' | 'done' | 'chunkSize'>

/**
 * A chunk to be written, and where planning stands after it. An empty one only says how far planning has come, or that
 * it is done.
 */
export interface PlannedChunk {
  images: ImageRef[]
  position: Position
}

/** A batch too small for full chunks is still spread over so many activations, of at least so many images. */
const fanOut = 8
const smallestChunk = 4

/**
 * Walks on through the source listing from the plan's cursor, in chunks of what has to be classified. The plan itself
 * is left alone: whoever has written a chunk moves it on to `position`, and so chunk and plan always agree.
 */
export async function* planChunks(plan: Plan, images: Bucket, results: Bucket): AsyncGenerator<PlannedChunk> {
  let { chunkSize } = plan
  let pending: Step[] = []
  let first = plan.planned === plan.passes.at(-1)
  let reached = positionOf(plan)
  for await (const step of missingImages(plan, images, results)) {
    const { done } = step.position
    if (step.image || done) pending.push(step)
    else {
      // What is pending must not be passed by: it would be lost if planning went on from there in another activation.
      if (pending.length === 0) reached = step.position
      yield { images: [], position: { ...reached } }
      continue
    }
    if (first && !done && pending.length < fanOut * chunkSize) continue
    // All of a small batch is seen before its first chunk; later chunks must be of the first one's size.
    if (first && done) {
      chunkSize = Math.min(chunkSize, Math.max(smallestChunk, Math.ceil((pending.length - 1) / fanOut)))
    }
    first = false
    while (pending.length >= (done ? 1 : chunkSize)) {
      const steps = pending.slice(0, chunkSize)
      pending = pending.slice(chunkSize)
      reached = { ...(steps.at(-1) ?? step).position, chunkSize }
      yield { images: steps.flatMap(({ image }) => image ?? []), position: { ...reached } }
    }
  }
}

const positionOf = ({ listed, skipped, planned, cursor, done, chunkSize }: Plan): Position => ({
  listed,
  skipped,
  planned,
  cursor,
  done,
  chunkSize,
})

/** So many images are walked past at most before it is told how far the walk has come. */
const checkpointEvery = 100

/** One image that is missing, or none: how far the walk has come. */
interface Step {
  image?: ImageRef
  position: Position
}

async function* missingImages(plan: Plan, images: Bucket, results: Bucket): AsyncGenerator<Step> {
  const selected = selects(plan)
  const source = inOrder(
    images.list({ prefix: plan.prefix, startAfter: plan.cursor || undefined }),
    plan.cursor,
  )
  const first = plan.passes.at(-1) ?? 0
  const walk: Position = { ...positionOf(plan), done: false }
  let walked = 0
  for await (const { image, record } of pairWithRecords(source, inOrder(recordsOf(results, plan)))) {
    if (plan.limit !== undefined && walk.planned - first >= plan.limit) break
    if (++walked % checkpointEvery === 0) yield { position: { ...walk } }
    walk.cursor = image.key
    if (!selected(image)) continue
    walk.listed++
    if (!plan.force && (await isFresh(plan, image, record, results))) {
      walk.skipped++
      continue
    }
    walk.planned++
    yield { image: { bucket: plan.bucket, ...image }, position: { ...walk } }
  }
  yield { position: { ...walk, done: true } }
}

async function isFresh(
  plan: Plan,
  image: ObjectInfo,
  record: ObjectInfo | undefined,
  results: Bucket,
): Promise<boolean> {
  // A record's key can be too long to be listed beside its image; that one is looked up.
  const listed = Buffer.byteLength(recordsPrefix(plan.modelVersion, plan.bucket) + image.key) <= 1024
  if (listed && !record) return false
  if (record && Date.parse(record.lastModified) - Date.parse(image.lastModified) > certainAfter) return true
  const known = await readRecord(results, plan.modelVersion, { bucket: plan.bucket, key: image.key })
  return known?.etag === image.etag
}
