import * as z from 'zod'
import { type ImageRecord, imageRefSchema } from '../../schema'
import { openGrowing } from '../../storage/growing-object'
import type { Bucket, ObjectInfo } from '../../storage/store'
import { batchOfTried, triedKey, triedPrefix } from '../layout'
import { findByKey, pairByKey } from '../ordered'
import { failuresOf, linesOf } from './failures'
import { type Plan, readPlan } from './plan'

/*
 * What fails for a reason that may pass leaves no record, and would be found missing by every poll. So the batches of a
 * feed's polls try it after longer and longer pauses. Each has a list of what those before it tried in vain, which
 * follows from the list of the last one and from its errors; there is only ever one.
 */

/** A version of an image that polls have tried in vain. */
const triedSchema = imageRefSchema.pick({ bucket: true, key: true }).extend({
  etag: z.string().nullable(),
  model: z.string(),
  /** How many batches have, and when the last one did, ISO 8601. */
  tries: z.int().positive(),
  at: z.string(),
})
type Tried = z.infer<typeof triedSchema>

/** Before an image is tried again, milliseconds; doubles from one time to the next. */
const firstPause = 20 * 60_000
const longestPause = 24 * 60 * 60_000

/** Whether a batch that begins at a time is to leave an image alone. */
const isResting = ({ at, tries }: Tried, startedAt: string): boolean =>
  Date.parse(at) + Math.min(firstPause * 2 ** (tries - 1), longestPause) > Date.parse(startedAt)

const isSame = (one: Tried, other: Pick<Tried, 'bucket' | 'etag' | 'model'>): boolean =>
  one.bucket === other.bucket && one.etag === other.etag && one.model === other.model

async function* triedBefore(results: Bucket, feed: string, batch: string): AsyncGenerator<Tried> {
  for await (const line of linesOf(results, triedKey(feed, batch))) yield triedSchema.parse(JSON.parse(line))
}

/**
 * Opens what the batch of a poll is to leave alone for now.
 * @returns whether an image is among it; keys have to be asked for in order
 */
export function openResting(
  { batch, bucket, feed, modelVersion: model, startedAt }: Plan,
  results: Bucket,
): (image: ObjectInfo) => Promise<boolean> {
  if (feed === undefined) return async () => false
  const find = findByKey(triedBefore(results, feed, batch))
  return async ({ key, etag }) => {
    const tried = await find(key)
    return tried !== undefined && isSame(tried, { bucket, etag, model }) && isResting(tried, startedAt)
  }
}

const triedOnceMore = ({ bucket, key, etag, model, at }: ImageRecord, before: Tried | undefined): Tried => {
  const tried = { bucket, key, etag, model, tries: 1, at }
  return before && isSame(before, tried) ? { ...tried, tries: before.tries + 1 } : tried
}

/** What has been tried in vain by a batch that is closed, and by those before it. */
async function* triedSince(results: Bucket, feed: string, batch: string): AsyncGenerator<Tried> {
  const plan = await readPlan(results, batch)
  for await (const [failed, before] of pairByKey(
    failuresOf(results, batch),
    triedBefore(results, feed, batch),
  )) {
    if (failed) yield triedOnceMore(failed, before)
    // The batch tried the others as well, and did not fail with them: they are done, changed or gone.
    else if (!plan || isResting(before, plan.startedAt)) yield before
  }
}

/** Makes the list of a batch, from that of the one before it, whose place it takes. */
export async function listTried(results: Bucket, feed: string, batch: string): Promise<void> {
  const own = triedKey(feed, batch)
  const lists: string[] = []
  for await (const { key } of results.list({ prefix: triedPrefix(feed) })) lists.push(key)
  if (lists.includes(own)) return
  const last = lists.at(-1)
  const list = openGrowing(results, own, 'application/x-ndjson')
  try {
    for await (const tried of last ? triedSince(results, feed, batchOfTried(last)) : [])
      await list.append(`${JSON.stringify(tried)}\n`)
    await list.finish()
  } catch (thrown) {
    await list.abort()
    throw thrown
  }
  await results.deleteAll(lists)
}

/** Forgets what the polls of a feed have tried. */
export async function forgetTried(results: Bucket, feed: string): Promise<void> {
  for await (const { key } of results.list({ prefix: triedPrefix(feed) })) await results.delete(key)
}
