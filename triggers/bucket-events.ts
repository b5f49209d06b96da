import { contextOf } from '../src/batch/context'
import { notify } from '../src/batch/uploads/notify'
import { settingsFromParams } from '../src/config'
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
import { parseEvent, parseJson } from '../src/storage/events'
import { confirmationUrl, confirmSubscription } from '../src/storage/sns'

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
    // stores tell of every bucket they have: the results bucket cannot be watched.
    const created = (events ?? []).filter(
      ({ removed, bucket, key }) => !removed && bucket !== settings.resultsBucket && !key.endsWith('/'),
    )
    const fired = await notify(created, contextOf(settings, currentActivation()))
    return json(200, { received: events?.length ?? 0, images: created.length, fired })
  } catch (thrown) {
    return errorResponse(thrown)
  }
}

/** SNS sends JSON as plain text, which the platform leaves alone. */
const messageOf = (request: WebRequest): unknown =>
  typeof request.__ow_body === 'string' ? parseJson(request.__ow_body) : ownParameters(request)
