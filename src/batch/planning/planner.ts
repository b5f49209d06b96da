import type { ImageRecord, ImageRef } from '../../schema'
import type { Bucket, Store } from '../../storage/store'
import { findByKey } from '../records/ordered'
import { leavesRecord } from '../records/record'
import type { OpenBatch, Plan } from '../state/batch'
import { isUnfiltered, selects, selectsKey } from '../state/filters'
import { resultsKey } from '../state/layout'
import { readSorted, sortList } from './list-sort'
import { entryAt, walkList } from './listed'
import { type Look, type Step, walkImages } from './missing'
import { type Sizes, sizesOf } from './sizes'

/** How far planning has come: what of a plan it moves. */
export type Position = Pick<Plan, 'listed' | 'skipped' | 'planned' | 'cursor' | 'done' | 'swept' | 'list'>

/** Images of a chunk to be written; none where it is only told how far planning has come. */
export interface Planned {
  images: ImageRef[]
  /** The keys of records whose images no listing has any more; none where only some images are meant. */
  gone: string[]
  position: Position
}

/** So many images are walked past at most before it is told how far the walk has come. */
const tellEvery = 100

/** What is missing waits for more of it while so many images are passed by: a walk of one activation has to come further than that. */
const maxLooks = 20_000

export const positionOf = ({ listed, skipped, planned, cursor, done, swept, list }: Plan): Position => ({
  listed,
  skipped,
  planned,
  cursor,
  done,
  swept,
  list,
})

interface PlanOptions {
  /** Milliseconds since the epoch. */
  now: number
  /** Nothing may be written but the portions of a list. */
  readOnly?: boolean
  /** Whether invocations are scarce. */
  isPaced?(): boolean
}

/** What planning is about. */
type Planning = Pick<OpenBatch, 'batch' | 'run' | 'revision' | 'bucket' | 'request' | 'plan' | 'model'>

/**
 * Walks on through the source listing, or through the list of images that a batch was fired with, from where its planning
 * stands, in chunks of what has to be classified.
 * @throws WhisklensError for a list that is not there, has changed since, or cannot be understood
 */
export async function* planChunks(
  batch: Planning,
  store: Store,
  results: Bucket,
  options: PlanOptions,
): AsyncGenerator<Planned> {
  const { manifest } = batch.request
  if (manifest === undefined) {
    const { bucket, request, plan } = batch
    const { cursor, lastKey } = plan
    const walk = { ...lookOf(batch, results, options), bucket, prefixes: request.prefix, cursor, lastKey }
    return yield* chunksOf(batch, walkImages(walk, store.bucket(bucket), results), options)
  }
  const sorting = {
    batch: batch.batch,
    run: batch.run,
    epoch: batch.revision,
    manifest,
    bucket: batch.bucket,
  }
  let { plan } = batch
  for await (const list of sortList(sorting, plan.list, store, results)) {
    plan = { ...plan, list }
    yield { images: [], gone: [], position: positionOf(plan) }
  }
  const entries = readSorted(plan.list?.files ?? [], results, entryAt(plan.cursor))
  const isNamed = namedBy(batch.request)
  const look = lookOf(batch, results, options)
  const isMeant: Look['isMeant'] = (image) => isNamed(image.key) && look.isMeant(image)
  const walk = { ...look, isMeant, isNamed, lastKey: plan.lastKey }
  yield* chunksOf({ ...batch, plan }, walkList(walk, entries, store, results), options)
}

const lookOf = (
  { batch, request, model }: Planning,
  results: Bucket,
  { now, readOnly = false }: PlanOptions,
): Look => ({
  modelVersion: model.modelVersion,
  force: request.force,
  rests: false,
  now,
  readOnly,
  isMeant: selects(request),
  isWanted: request.retry ? failedBefore(results, batch) : undefined,
})

/** Whether a key is one of those that a request is about. */
function namedBy(request: Planning['request']): (key: string) => boolean {
  const isSelected = selectsKey(request)
  return (key) => request.prefix.some((prefix) => key.startsWith(prefix)) && isSelected(key)
}

async function* chunksOf(
  { request, plan }: Planning,
  steps: AsyncGenerator<Step>,
  { isPaced }: PlanOptions,
): AsyncGenerator<Planned> {
  const seesAll = isUnfiltered(request) && plan.lastKey === undefined
  const chunks = openChunks(plan, sizesOf(request.chunkSize, isPaced))
  const isFull = (): boolean =>
    request.limit !== undefined && chunks.position().planned - plan.base >= request.limit
  if (!isFull())
    for await (const step of steps) {
      if (step.gone === undefined || seesAll) yield* chunks.add(step)
      if (isFull()) break
    }
  yield* chunks.rest()
  const swept = seesAll && !isFull()
  yield { images: [], gone: chunks.gone(), position: { ...chunks.position(), done: true, swept } }
}

/** The images that wait to become a chunk. */
function openChunks(plan: Plan, sizes: Sizes) {
  const pending: { image: ImageRef; position: Position }[] = []
  const gone: string[] = []
  let [reached, walked] = [positionOf(plan), positionOf(plan)]
  let looks = 0
  let isMany = false
  let isBegun = plan.planned > plan.base

  function take(size: number): Planned {
    const taken = pending.splice(0, size)
    reached = pending.length > 0 ? (taken.at(-1)?.position ?? reached) : walked
    return { images: taken.map(({ image }) => image), gone: gone.splice(0), position: reached }
  }

  function* rest(): Generator<Planned> {
    for (const size of sizes.spread(pending.length, isMany)) yield take(size)
  }

  /** Passes by an image that needs nothing. */
  function* pass(): Generator<Planned> {
    looks++
    // Nothing is to wait for ever behind such images.
    if (looks % maxLooks === 0) yield* rest()
    if (looks % tellEvery === 0) yield take(0)
  }

  return {
    rest,
    gone: () => gone.splice(0),
    position: () => walked,
    add: function* (step: Step): Generator<Planned> {
      if (step.gone !== undefined) return void gone.push(step.gone)
      walked = moved(walked, step)
      if (!step.image) return yield* pass()
      pending.push({ image: step.image, position: walked })
      if (!isBegun && pending.length >= sizes.first.from) {
        isBegun = true
        for (const size of sizes.first.sizes) yield take(size)
      }
      if (pending.length < sizes.enough) return
      isMany = true
      yield take(sizes.largest)
    },
  }
}

const moved = (position: Position, { cursor, listed, image }: Step): Position => ({
  ...position,
  cursor,
  listed: position.listed + Number(listed),
  planned: position.planned + Number(image !== undefined),
  skipped: position.skipped + Number(listed && image === undefined),
})

/** Opens what failed in the batch before: a retry does it again, though another batch may have a record of it. */
function failedBefore(results: Bucket, batch: string): (key: string) => Promise<boolean> {
  const find = findByKey(failuresOf(results, batch))
  return async (key) => (await find(key)) !== undefined
}

/** What failed in the last run of a batch for reasons that may have passed, in the order of keys. */
async function* failuresOf(results: Bucket, batch: string): AsyncGenerator<ImageRecord> {
  const key = resultsKey(batch, 'errors.jsonl')
  if (!(await results.head(key))) return
  for await (const line of results.lines(key)) {
    const record: ImageRecord = JSON.parse(line)
    if (!leavesRecord(record)) yield record
  }
}
