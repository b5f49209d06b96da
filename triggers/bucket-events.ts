import { contextOf } from '../src/batch/context'
import type { Context } from '../src/batch/state/platform'
import { notify } from '../src/batch/uploads/notify'
import { packageInputs, type Settings, settingsFromParams } from '../src/config'
import { InvalidInputError, messageOf } from '../src/errors'
import { log } from '../src/log'
import { ownParameters } from '../src/openwhisk/action'
import { currentActivation } from '../src/openwhisk/activation'
import {
  errorResponse,
  isAuthorized,
  json,
  methodNotAllowed,
  unauthorized,
  type WebRequest,
  type WebResponse,
} from '../src/openwhisk/web'
import { parseEvent, parseText, toStructured } from '../src/storage/events'
import { noteRefusal } from '../src/storage/refusals'
import { confirmationUrl, confirmSubscription } from '../src/storage/sns'

/** Refused parts named in the response. */
const maxNamed = 10

/** Receives bucket notifications and fires the triggers that watch the bucket, with many images per fire. */
export async function main(request: WebRequest): Promise<WebResponse> {
  try {
    const settings = settingsFromParams(request)
    if (!isAuthorized(request, settings.eventsToken)) {
      await noteUnauthorized(settings)
      return unauthorized()
    }
    if (request.__ow_method !== 'post') return methodNotAllowed(request.__ow_method, ['POST'])
    const message = contentOf(request)
    const subscription = confirmationUrl(message)
    if (subscription) {
      await confirmSubscription(subscription)
      return json(200, { confirmed: true })
    }
    const context = contextOf(settings, currentActivation())
    return json(200, await accept(toStructured(message, request.__ow_headers), context))
  } catch (thrown) {
    return errorResponse(thrown)
  }
}

/** Bodies other than JSON objects arrive unparsed: text, as from SNS, or base64. */
function contentOf(request: WebRequest): unknown {
  const body: unknown = request.__ow_body
  if (typeof body === 'string') return parseText(body)
  if (body !== undefined) return body
  const { token, ...params } = ownParameters(request)
  return Object.fromEntries(Object.entries(params).filter(([name]) => !packageInputs.includes(name)))
}

async function accept(message: unknown, context: Context) {
  const { events, refused } = await parse(message, context)
  // Some stores notify of all buckets; the results bucket cannot be watched.
  const created = events.filter(
    ({ removed, bucket, key }) => !removed && bucket !== context.results.name && !key.endsWith('/'),
  )
  const fired = await notify(created, context)
  const answer = { received: events.length + refused.length, images: created.length, fired }
  return refused.length > 0 ? { ...answer, refused: refused.slice(0, maxNamed) } : answer
}

/** Parses a notification, and notes what is refused: senders seldom show the response. */
async function parse(message: unknown, context: Context) {
  try {
    const notification = parseEvent(message)
    const { refused } = notification
    const [first] = refused
    if (first) {
      log.warn(
        { refused: refused.slice(0, maxNamed), count: refused.length },
        'part of a notification was refused',
      )
      await note(`${first.at} ${first.reason}`, () => context)
    }
    return notification
  } catch (thrown) {
    if (thrown instanceof InvalidInputError) {
      log.warn({ reason: thrown.message }, 'a notification was refused')
      await note(thrown.message, () => context)
    }
    throw thrown
  }
}

/** When this container last noted an unauthorized request, milliseconds since the epoch. */
let unauthorizedAt = 0

/** Notes an unauthorized request, without its untrusted content and at most once a minute, to spare the store. */
async function noteUnauthorized(settings: Settings): Promise<void> {
  if (Date.now() - unauthorizedAt < 60_000) return
  unauthorizedAt = Date.now()
  await note('a request had no valid token', () => contextOf(settings, currentActivation()))
}

/** Notes a refusal. A failure to do so is only logged. */
async function note(reason: string, context: () => Context): Promise<void> {
  try {
    await noteRefusal(context().results, reason, context())
  } catch (thrown) {
    log.warn({ reason: messageOf(thrown) }, 'a refusal could not be noted')
  }
}
