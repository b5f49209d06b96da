import type { Settings } from '../../config'
import { log } from '../../log'
import type { Activation } from '../../openwhisk/activation'
import { addressOf } from '../../openwhisk/client'
import { unschedule } from '../../openwhisk/schedule'
import { batchRequestSchema } from '../../schema'
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
    return { resumed }
  }
  if (feed.paused) return { resumed }
  for await (const open of listOpen(results)) {
    if (open.startsWith(idsOf(trigger))) return { resumed, batch: open }
  }
  const request = requestOf(feed, now)
  await listTried(results, trigger, request.batch)
  const model = await describeModel(openwhisk, activation, settings, settings.model)
  const plan = newPlan(request.batch, request, { ...model, bucket: feed.bucket, now })
  const stopAt = activation.deadline - startTakes
  for await (const { images } of planChunks(plan, store.bucket(feed.bucket), results)) {
    // A bucket too large to be looked through in one activation is for a batch, which continues itself.
    if (images.length === 0 && Date.now() < stopAt) continue
    await startBatch(request, settings, activation, platform)
    return { resumed, batch: request.batch }
  }
  return { resumed }
}

function requestOf({ trigger, bucket, prefix, since, settle }: Registration, now: Date) {
  const batch = idsOf(trigger) + timeOf(now)
  const until = new Date(now.getTime() - settle * 1000).toISOString()
  return { ...batchRequestSchema.parse({ bucket, prefix, since, until }), batch, feed: trigger }
}
