import type { ImageRecord, ImageRef } from '../../schema'
import type { Bucket, Store } from '../../storage/store'
import { findByKey } from '../records/ordered'
import { leavesRecord } from '../records/record'
import type { OpenBatch, Plan } from '../state/batch'
import { isUnfiltered, selects, selectsKey } from '../state/filters'
import { resultsKey } from '../state/layout'
import { readSorted, sortList } from './list-sort'
import { type Sizes, sizesOf } from './sizes'
import { type DueRules, type Step, walkImages } from './walk'
import { entryAt, walkList } from './walk-list'

/** The fields of a plan that planning advances. */
export type Position = Pick<Plan, 'listed' | 'skipped' | 'planned' | 'cursor' | 'done' | 'swept' | 'list'>

/** Images of a chunk to write; empty for a progress report. */
export interface Planned {
  images: ImageRef[]
  /** Keys of records whose images are gone; empty when filters apply. */
  gone: string[]
  position: Position
}

/** Images passed between progress reports. */
const reportEvery = 100

/**
 * Pending images are written after this many up-to-date ones: an activation's walk must outlast that, or it saves
 * nothing.
 */
const maxPassed = 20_000

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
  /** Write nothing but the portions of a list. */
  readOnly?: boolean
  /** Whether the platform limits invocations per minute. */
  isPaced?(): boolean
}

type Planning = Pick<OpenBatch, 'batch' | 'run' | 'revision' | 'bucket' | 'request' | 'plan' | 'model'>

/**
 * Plans a batch from its cursor: walks the source listing or the batch's list, and yields chunks of images to classify.
 * @throws WhisklensError for a list that is missing, has changed or cannot be parsed
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
    const walk = { ...dueRulesOf(batch, results, options), bucket, prefixes: request.prefix, cursor, lastKey }
    return yield* chunksOf(batch, walkImages(walk, store.bucket(bucket), results), options)
  }
  const toSort = {
    batch: batch.batch,
    run: batch.run,
    epoch: batch.revision,
    manifest,
    bucket: batch.bucket,
  }
  let { plan } = batch
  for await (const list of sortList(toSort, plan.list, store, results)) {
    plan = { ...plan, list }
    yield { images: [], gone: [], position: positionOf(plan) }
  }
  const entries = readSorted(plan.list?.files ?? [], results, entryAt(plan.cursor))
  const isNamed = keyFilterOf(batch.request)
  const rules = dueRulesOf(batch, results, options)
  const isSelected: DueRules['isSelected'] = (image) => isNamed(image.key) && rules.isSelected(image)
  const walk = { ...rules, isSelected, isNamed, lastKey: plan.lastKey }
  yield* chunksOf({ ...batch, plan }, walkList(walk, entries, store, results), options)
}

const dueRulesOf = (
  { batch, request, model }: Planning,
  results: Bucket,
  { now, readOnly = false }: PlanOptions,
): DueRules => ({
  modelVersion: model.modelVersion,
  force: request.force,
  backsOff: false,
  now,
  readOnly,
  isSelected: selects(request),
  isRetried: request.retry ? failedBefore(results, batch) : undefined,
})

/** The request's filters that a key alone can answer. */
function keyFilterOf(request: Planning['request']): (key: string) => boolean {
  const isSelected = selectsKey(request)
  return (key) => request.prefix.some((prefix) => key.startsWith(prefix)) && isSelected(key)
}

async function* chunksOf(
  { request, plan }: Planning,
  steps: AsyncGenerator<Step>,
  { isPaced }: PlanOptions,
): AsyncGenerator<Planned> {
  const coversAll = isUnfiltered(request) && plan.lastKey === undefined
  const chunks = openChunks(plan, sizesOf(request.chunkSize, isPaced))
  const isFull = (): boolean =>
    request.limit !== undefined && chunks.position().planned - plan.base >= request.limit
  if (!isFull())
    for await (const step of steps) {
      if (step.gone === undefined || coversAll) yield* chunks.add(step)
      if (isFull()) break
    }
  yield* chunks.rest()
  const swept = coversAll && !isFull()
  yield { images: [], gone: chunks.gone(), position: { ...chunks.position(), done: true, swept } }
}

/** Collects images into chunks. */
function openChunks(plan: Plan, sizes: Sizes) {
  const pending: { image: ImageRef; position: Position }[] = []
  const gone: string[] = []
  let [reached, walked] = [positionOf(plan), positionOf(plan)]
  let passed = 0
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

  /** Passes an up-to-date image. */
  function* pass(): Generator<Planned> {
    passed++
    // Pending images must not wait for ever behind up-to-date ones.
    if (passed % maxPassed === 0) yield* rest()
    if (passed % reportEvery === 0) yield take(0)
  }

  return {
    rest,
    gone: () => gone.splice(0),
    position: () => walked,
    add: function* (step: Step): Generator<Planned> {
      if (step.gone !== undefined) return void gone.push(step.gone)
      walked = advanced(walked, step)
      if (!step.image) return yield* pass()
      pending.push({ image: step.image, position: walked })
      if (!isBegun && pending.length >= sizes.first.from) {
        isBegun = true
        for (const size of sizes.first.sizes) yield take(size)
      }
      if (pending.length < sizes.fullSizeFrom) return
      isMany = true
      yield take(sizes.largest)
    },
  }
}

const advanced = (position: Position, { cursor, listed, image }: Step): Position => ({
  ...position,
  cursor,
  listed: position.listed + Number(listed),
  planned: position.planned + Number(image !== undefined),
  skipped: position.skipped + Number(listed && image === undefined),
})

/** Selects what failed in the previous run: a retry redoes it even if another batch has recorded it since. */
function failedBefore(results: Bucket, batch: string): (key: string) => Promise<boolean> {
  const find = findByKey(failuresOf(results, batch))
  return async (key) => (await find(key)) !== undefined
}

/** The retryable failures of a batch's last run, in key order. */
async function* failuresOf(results: Bucket, batch: string): AsyncGenerator<ImageRecord> {
  const key = resultsKey(batch, 'errors.jsonl')
  if (!(await results.head(key))) return
  for await (const line of results.lines(key)) {
    const record: ImageRecord = JSON.parse(line)
    if (!leavesRecord(record)) yield record
  }
}
