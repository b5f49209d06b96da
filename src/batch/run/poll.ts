import type { Settings } from '../../config'
import { log } from '../../log'
import type { Activation } from '../../openwhisk/activation'
import { addressOf } from '../../openwhisk/client'
import { unschedule } from '../../openwhisk/schedule'
import { batchRequestSchema, type ImageRef } from '../../schema'
import { sha256Of } from '../../sha256'
import { type Registration, readRegistration } from '../../storage/feeds'
import { newPlan } from '../plan/plan'
import { planChunks } from '../plan/planning'
import { listTried } from '../plan/resting'
import { describeModel } from './answering-model'
import { listOpen } from './open'
import { reconcile } from './orphans'
import type { Platform } from './platform'
import { timeOf } from './request'
import { startBatch } from './start'

/** What is left of an activation's time for starting a batch, milliseconds. */
const startTakes = 120_000

/** The batches of one feed's polls begin alike: while one is open, there is no further one. */
const idsOf = (trigger: string): string => `poll-${sha256Of(trigger).slice(0, 6)}-`

/** What a poll did. */
export interface Polled {
  /** Batches that were carried on. */
  resumed: string[]
  /** The batch that classifies what was missed, if there is anything. */
  batch?: string
  /** Images that have no record and are too young for this poll; after so many seconds, a poll takes all of them. */
  waiting?: { images: number; seconds: number }
  /** Why there is no new batch although something may be missing. */
  message?: string
}

/**
 * Classifies what the notifications of a feed's bucket missed: compares listing and records, and starts a batch where
 * something is missing; what failed at earlier polls rests in between. Carries on batches that nobody is in charge of.
 * @param trigger the feed's, `/guest/image-uploaded`
 */
export async function poll(
  trigger: string,
  settings: Settings,
  activation: Activation,
  platform: Platform,
  now = new Date(),
): Promise<Polled> {
  const { store, openwhisk } = platform
  const results = store.bucket(settings.resultsBucket)
  const { resumed } = await reconcile(results, openwhisk, activation.actionName)
  const feed = await readRegistration(results, trigger)
  if (!feed) {
    log.info({ trigger }, 'nobody is watching any more')
    await unschedule(addressOf(activation, settings), trigger)
    return { resumed, message: `No feed watches a bucket for ${trigger}` }
  }
  if (feed.paused) return { resumed, message: `The feed of ${trigger} is paused` }
  for await (const open of listOpen(results)) {
    if (!open.startsWith(idsOf(trigger))) continue
    return { resumed, batch: open, message: `The batch ${open} of an earlier poll has to be closed first` }
  }
  const until = new Date(now.getTime() - feed.settle * 1000)
  const request = requestOf(feed, until, now)
  await listTried(results, trigger, request.batch)
  const model = await describeModel(openwhisk, activation, settings, settings.model)
  const plan = newPlan(
    request.batch,
    { ...request, until: undefined },
    { ...model, bucket: feed.bucket, now },
  )
  const stopAt = activation.deadline - startTakes
  const young = newYoung(until)
  for await (const { images } of planChunks(plan, store.bucket(feed.bucket), results)) {
    // A bucket too large to be looked through in one activation is for a batch, which continues itself.
    if (!images.some(young.isDue) && Date.now() < stopAt) continue
    await startBatch(request, settings, activation, platform)
    return { resumed, batch: request.batch }
  }
  return { resumed, ...young.waiting(feed.settle, now) }
}

/** Counts the images that were changed after some time. */
function newYoung(until: Date) {
  let count = 0
  let newest = 0
  return {
    isDue({ lastModified = '' }: ImageRef): boolean {
      const changed = Date.parse(lastModified)
      if (!(changed > until.getTime())) return true
      count++
      newest = Math.max(newest, changed)
      return false
    },
    /** Images are due when the newest of them was changed so many seconds ago. */
    waiting(settle: number, now: Date): Pick<Polled, 'waiting' | 'message'> {
      if (count === 0) return {}
      const seconds = Math.ceil((newest - now.getTime()) / 1000 + settle)
      const message = `${count} of the images without a record are younger than ${settle} s: poll again in ${seconds} s`
      return { waiting: { images: count, seconds }, message }
    },
  }
}

function requestOf({ trigger, bucket, prefix, since }: Registration, until: Date, now: Date) {
  const batch = idsOf(trigger) + timeOf(now)
  const fields = { bucket, prefix, since, until: until.toISOString() }
  return { ...batchRequestSchema.parse(fields), batch, feed: trigger }
}
