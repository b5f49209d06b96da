import { contextOf } from '../src/batch/context'
import type { Context } from '../src/batch/state/platform'
import { watchNow } from '../src/batch/uploads/day'
import { type Settings, settingsFromParams } from '../src/config'
import { OpenWhiskError } from '../src/errors'
import { log } from '../src/log'
import { ownParameters } from '../src/openwhisk/action'
import { currentActivation } from '../src/openwhisk/activation'
import {
  errorResponse,
  isAuthorized,
  json,
  unauthorized,
  type WebRequest,
  type WebResponse,
} from '../src/openwhisk/web'
import { type ImageEvent, parseEvent, parseJson } from '../src/storage/events'
import { deleteRegistration, listRegistrations, type Registration } from '../src/storage/feeds'
import { confirmationUrl, confirmSubscription } from '../src/storage/sns'
import { openStore } from '../src/storage/store'

type Image = Omit<ImageEvent, 'removed'>

/** One fire carries at most so many images, and so many bytes; the platform takes 1 MiB. */
const maxImages = 100
const maxBytes = 256 * 1024

/** Receives a bucket's notifications and fires the triggers that watch it, many images to a fire. */
export async function main(request: WebRequest): Promise<WebResponse> {
  try {
    const settings = settingsFromParams(request)
    if (!isAuthorized(request, settings.eventsToken)) return unauthorized()
    const message = messageOf(request)
    const subscription = confirmationUrl(message)
    if (subscription) {
      await confirmSubscription(subscription)
      return json(200, { confirmed: true })
    }
    const events = parseEvent(message)
    // A test event, as stores send when notifications are set up, and anything else without images is fine too. Some
    // stores tell of every bucket they have: what we write ourselves nobody can watch.
    const created = (events ?? []).filter(
      ({ removed, bucket, key }) => !removed && bucket !== settings.resultsBucket && !key.endsWith('/'),
    )
    const watchers = created.length > 0 ? await watchersOf(created, settings) : []
    // The fast path, and what finds all that it misses: most of a burst may be refused.
    const context = watchers.length > 0 ? contextOf(settings, currentActivation()) : undefined
    const [fired] = context ? await Promise.all([fireAll(watchers, context), watchNow(context)]) : [0]
    return json(200, { received: events?.length ?? 0, images: created.length, fired })
  } catch (thrown) {
    return errorResponse(thrown)
  }
}

/** A trigger, and the images that it is to hear of. */
interface Watcher {
  registration: Registration
  images: Image[]
}

async function watchersOf(created: ImageEvent[], settings: Settings): Promise<Watcher[]> {
  const results = openStore(settings).bucket(settings.resultsBucket)
  const watchers: Watcher[] = []
  for (const registration of await listRegistrations(results)) {
    const { bucket, prefix, paused } = registration
    const watched = created.filter(
      (image) => !paused && image.bucket === bucket && image.key.startsWith(prefix),
    )
    for (const images of inMessages(watched)) watchers.push({ registration, images })
  }
  return watchers
}

/** @returns how many fires the platform has taken */
async function fireAll(watchers: Watcher[], context: Context): Promise<number> {
  let fired = 0
  for (const { registration, images } of watchers) if (await fire(registration, images, context)) fired++
  return fired
}

async function fire(registration: Registration, images: Image[], context: Context): Promise<boolean> {
  const { trigger } = registration
  try {
    await context.openwhisk.fire(trigger, { images })
    return true
  } catch (thrown) {
    if (!(thrown instanceof OpenWhiskError)) throw thrown
    // The trigger was deleted without telling the feed.
    if (thrown.status === 404) await deleteRegistration(context.results, trigger, registration)
    // It belongs to others, who bound this package: no reason to keep from the rest what is theirs.
    else if (thrown.status === 403) log.warn({ trigger }, 'the trigger may not be fired')
    // There is no room: the bucket is looked through anyway.
    else if (thrown.retryable) log.info({ trigger, reason: thrown.message }, 'the fire was refused')
    else throw thrown
    return false
  }
}

/** SNS sends JSON as plain text, which the platform leaves alone. */
const messageOf = (request: WebRequest): unknown =>
  typeof request.__ow_body === 'string' ? parseJson(request.__ow_body) : ownParameters(request)

/** Groups of images small enough for one fire each. */
function* inMessages(events: ImageEvent[]): Generator<Image[]> {
  let group: Image[] = []
  let bytes = 0
  for (const { removed: _, ...image } of events) {
    const size = Buffer.byteLength(JSON.stringify(image))
    if (group.length === maxImages || bytes + size > maxBytes) {
      yield group
      group = []
      bytes = 0
    }
    group.push(image)
    bytes += size
  }
  if (group.length > 0) yield group
}
