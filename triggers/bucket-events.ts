import { settingsFromParams } from '../src/config'
import { OpenWhiskError } from '../src/errors'
import { log } from '../src/log'
import { ownParameters } from '../src/openwhisk/action'
import { currentActivation } from '../src/openwhisk/activation'
import { addressOf, connect } from '../src/openwhisk/client'
import {
  errorResponse,
  isAuthorized,
  json,
  unauthorized,
  type WebRequest,
  type WebResponse,
} from '../src/openwhisk/web'
import { type ImageEvent, parseEvent, parseJson } from '../src/storage/events'
import { deleteRegistration, listRegistrations } from '../src/storage/feeds'
import { confirmationUrl, confirmSubscription } from '../src/storage/sns'
import { openStore } from '../src/storage/store'

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
    const results = openStore(settings).bucket(settings.resultsBucket)
    const openwhisk = connect(addressOf(currentActivation(), settings))
    let fired = 0
    for (const registration of created.length > 0 ? await listRegistrations(results) : []) {
      const { trigger, bucket, prefix, paused } = registration
      const watched = created.filter(
        (image) => !paused && image.bucket === bucket && image.key.startsWith(prefix),
      )
      for (const images of inMessages(watched)) {
        try {
          await openwhisk.fire(trigger, { images })
          fired++
        } catch (thrown) {
          const status = thrown instanceof OpenWhiskError && thrown.status
          // The trigger was deleted without telling the feed.
          if (status === 404) await deleteRegistration(results, trigger, registration)
          // It belongs to others, who bound this package: no reason to keep from the rest what is theirs.
          else if (status === 403) log.warn({ trigger }, 'the trigger may not be fired')
          else throw thrown
        }
      }
    }
    return json(200, { received: events?.length ?? 0, images: created.length, fired })
  } catch (thrown) {
    return errorResponse(thrown)
  }
}

/** SNS sends JSON as plain text, which the platform leaves alone. */
const messageOf = (request: WebRequest): unknown =>
  typeof request.__ow_body === 'string' ? parseJson(request.__ow_body) : ownParameters(request)

/** Groups of images small enough for one fire each. */
function* inMessages(events: ImageEvent[]): Generator<Omit<ImageEvent, 'removed'>[]> {
  let group: Omit<ImageEvent, 'removed'>[] = []
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
