import type { ImageRef } from '../../schema'
import type { Bucket, ObjectInfo } from '../../storage/store'
import { readRecord } from '../chunk/record'
import { compareKeys, inOrder } from '../keys'
import { recordsPrefix } from '../layout'
import { isUnfiltered, selects } from './filters'
import { pairWithRecords } from './merge'
import type { Plan } from './plan'

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
export type Position = Pick<
  Plan,
  'listed' | 'skipped' | 'planned' | 'cursor' | 'done' | 'chunkSize' | 'swept'
>

/**
 * A chunk to be written, and where planning stands after it. An empty one only says how far planning has come, or that
 * it is done.
 */
export interface PlannedChunk {
  images: ImageRef[]
  /** Records by the keys of their images, which no listing has any more; none where only some images are meant. */
  gone: string[]
  position: Position
}

/** A batch too small for full chunks is still spread over so many activations, of at least so many images. */
const fanOut = 8
const smallestChunk = 4

/** A batch of many images begins before it is known whether they are enough for larger chunks, after so many looks. */
const mostLooks = 200

/**
 * Walks on through the source listing from the plan's cursor, in chunks of what has to be classified. The plan itself
 * is left alone: whoever has written a chunk moves it on to `position`, and so chunk and plan always agree.
 */
export async function* planChunks(plan: Plan, images: Bucket, results: Bucket): AsyncGenerator<PlannedChunk> {
  let { chunkSize } = plan
  let pending: Step[] = []
  let first = plan.planned === plan.passes.at(-1)
  let reached = positionOf(plan)
  let looks = 0
  const gone: string[] = []
  // What is gone may lie ahead of the position: it takes no part in it, and seen twice it is the same.
  const chunkOf = (steps: Step[]): PlannedChunk => ({
    images: steps.flatMap(({ image }) => image ?? []),
    gone: gone.splice(0),
    position: { ...reached, chunkSize },
  })
  for await (const step of missingImages(plan, images, results)) {
    gone.push(...step.gone)
    const { done } = step.position
    if (step.image || done) pending.push(step)
    else {
      looks++
      // What is pending must not be passed by: it would be lost if planning went on from there in another activation.
      if (pending.length === 0) reached = step.position
      yield chunkOf([])
      continue
    }
    if (first) {
      // All of a small batch is seen before its first chunk; later chunks must be of the first one's size.
      const missing = pending.length - Number(done)
      const isMany = missing > fanOut * plan.largestChunk
      const isEnough = looks > mostLooks && missing > fanOut * chunkSize
      if (!done && !isMany && !isEnough) continue
      chunkSize = isMany ? plan.largestChunk : spread(missing, chunkSize)
      first = false
    }
    while (pending.length >= (done ? 1 : chunkSize)) {
      const steps = pending.slice(0, chunkSize)
      pending = pending.slice(chunkSize)
      reached = (steps.at(-1) ?? step).position
      yield chunkOf(steps)
    }
  }
}

const spread = (count: number, chunkSize: number): number =>
  Math.min(chunkSize, Math.max(smallestChunk, Math.ceil(count / fanOut)))

const positionOf = ({ listed, skipped, planned, cursor, done, chunkSize, swept }: Plan): Position => ({
  listed,
  skipped,
  planned,
  cursor,
  done,
  chunkSize,
  swept,
})

/** So many images are walked past at most before it is told how far the walk has come. */
const checkpointEvery = 100

/** One image that is missing, or none: how far the walk has come. */
interface Step {
  image?: ImageRef
  /** Keys that only records have, passed since the step before. */
  gone: string[]
  position: Position
}

async function* missingImages(plan: Plan, images: Bucket, results: Bucket): AsyncGenerator<Step> {
  const selected = selects(plan)
  const seesAll = isUnfiltered(plan) && plan.lastKey === undefined
  const source = inOrder(
    images.list({ prefix: plan.prefix, startAfter: plan.cursor || undefined }),
    plan.cursor,
  )
  const pass = plan.passes.length - 1
  const walk: Position = { ...positionOf(plan), done: false }
  const gone: string[] = []
  const isOver = (key: string): boolean =>
    (plan.limit !== undefined && walk.planned - (plan.passes[pass] ?? 0) >= plan.limit) ||
    (plan.lastKey !== undefined && compareKeys(key, plan.lastKey) > 0)
  let walked = 0
  for await (const { image, record } of pairWithRecords(source, inOrder(recordsOf(results, plan)))) {
    if (image && isOver(image.key)) break
    if (++walked % checkpointEvery === 0) yield { gone: gone.splice(0), position: { ...walk } }
    if (!image) {
      if (seesAll) gone.push(record.key)
      continue
    }
    walk.cursor = image.key
    if (!selected(image)) continue
    walk.listed++
    if (!plan.force && (await isFresh(plan, image, record, results))) {
      walk.skipped++
      continue
    }
    walk.planned++
    yield { image: { bucket: plan.bucket, ...image }, gone: gone.splice(0), position: { ...walk } }
  }
  const swept = seesAll ? [...(plan.swept ?? []), pass] : plan.swept
  yield { gone, position: { ...walk, done: true, swept } }
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
