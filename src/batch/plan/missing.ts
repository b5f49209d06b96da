import { readAhead } from '../../read-ahead'
import type { ImageRef } from '../../schema'
import { putIf } from '../../storage/put-once'
import type { Bucket, ObjectInfo } from '../../storage/store'
import { readRecord } from '../chunk/record'
import { compareKeys, inOrder } from '../keys'
import { recordKey, recordsPrefix } from '../layout'
import { type Pair, pairByKey } from '../ordered'
import { openFailures } from './failures'
import { isUnfiltered, selects } from './filters'
import type { Plan } from './plan'
import { openResting } from './resting'

/** A record younger than its image by less than this is read before it is believed: clocks differ, uploads take time. */
const certainAfter = 15 * 60 * 1000

/** So many records are read at a time, where listings do not tell enough. */
const recordsAhead = 16

/** So many images are walked past at most before it is told how far the walk has come. */
const checkpointEvery = 100

/** How far a walk through the images has come. */
export type Walked = Pick<Plan, 'listed' | 'skipped' | 'planned' | 'cursor' | 'done' | 'swept'>

/** One image that is missing, or none: how far the walk has come. */
export interface Step {
  image?: ImageRef
  /** Keys that only records have, passed since the step before. */
  gone: string[]
  position: Walked
}

export interface WalkOptions {
  /** Whether nothing may be written, not even what spares later walks a look. */
  readOnly?: boolean
}

/** Walks on from the plan's cursor through images and records, side by side. */
export async function* missingImages(
  plan: Plan,
  images: Bucket,
  results: Bucket,
  { readOnly = false }: WalkOptions = {},
): AsyncGenerator<Step> {
  const { listed, skipped, planned, cursor, limit, lastKey } = plan
  const isMeant = selects(plan)
  const seesAll = isUnfiltered(plan) && lastKey === undefined
  const source = inOrder(images.list({ prefix: plan.prefix, startAfter: cursor || undefined }), cursor)
  const pass = plan.passes.length - 1
  const walk: Walked = { listed, skipped, planned, cursor, done: false, swept: plan.swept }
  const gone: string[] = []
  const isOver = (key: string): boolean =>
    (limit !== undefined && walk.planned - (plan.passes[pass] ?? 0) >= limit) ||
    (lastKey !== undefined && compareKeys(key, lastKey) > 0)
  const look = async ([image, record]: Pair<ObjectInfo, ObjectInfo>) => {
    const meant = image !== undefined && isMeant(image)
    const fresh = meant && !plan.force && (await isFresh(plan, image, record, results, readOnly))
    return { image, record, meant, fresh }
  }
  const hasFailed = openFailures(plan, results)
  const isResting = openResting(plan, results)
  const pairs = pairByKey(source, inOrder(recordsOf(results, plan)))
  let walked = 0
  for await (const { image, record, meant, fresh } of readAhead(pairs, recordsAhead, look)) {
    if (image && isOver(image.key)) break
    if (++walked % checkpointEvery === 0) yield { gone: gone.splice(0), position: { ...walk } }
    if (!image) {
      if (seesAll && record) gone.push(record.key)
      continue
    }
    walk.cursor = image.key
    if (!meant) continue
    walk.listed++
    if (fresh ? !(await hasFailed(image.key)) : await isResting(image)) {
      walk.skipped++
      continue
    }
    walk.planned++
    yield { image: { bucket: plan.bucket, ...image }, gone: gone.splice(0), position: { ...walk } }
  }
  const swept = seesAll ? [...(plan.swept ?? []), pass] : plan.swept
  yield { gone, position: { ...walk, done: true, swept } }
}

async function* recordsOf(
  results: Bucket,
  { modelVersion, bucket, prefix, cursor }: Plan,
): AsyncGenerator<ObjectInfo> {
  const root = recordsPrefix(modelVersion, bucket)
  const listing = results.list({ prefix: root + prefix, startAfter: cursor && root + cursor })
  for await (const record of listing) yield { ...record, key: record.key.slice(root.length) }
}

async function isFresh(
  { modelVersion, bucket }: Plan,
  image: ObjectInfo,
  record: ObjectInfo | undefined,
  results: Bucket,
  readOnly: boolean,
): Promise<boolean> {
  const ref = { bucket, key: image.key }
  // A record's key can be too long to be listed beside its image; that one is looked up.
  const listed = Buffer.byteLength(recordsPrefix(modelVersion, bucket) + image.key) <= 1024
  if (listed && !record) return false
  const uploadedAt = Date.parse(image.lastModified)
  if (record && Date.parse(record.lastModified) - uploadedAt > certainAfter) return true
  const known = await readRecord(results, modelVersion, ref)
  if (known?.etag !== image.etag) return false
  // Classified right after its upload: the record is written once more, and from then on a listing tells enough.
  if (record && !readOnly && Date.now() - uploadedAt > certainAfter)
    await putIf(results, recordKey(modelVersion, ref), JSON.stringify(known), record.etag)
  return true
}
