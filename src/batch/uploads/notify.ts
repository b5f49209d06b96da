import { OpenWhiskError } from '../../errors'
import { log, logged } from '../../log'
import type { ImageEvent } from '../../storage/events'
import { deleteRegistration, listRegistrations, type Registration } from '../../storage/feeds'
import type { Context } from '../state/platform'
import { ensureScanning, today } from './day'

type Image = Omit<ImageEvent, 'removed'>

/** Limits of one fire. The platform accepts 1 MiB. */
const maxImages = 100
const maxBytes = 256 * 1024

/**
 * Fires the triggers that watch new images, and ensures that their buckets are scanned, as fires of a burst may be
 * refused.
 * @returns how many fires the platform accepted
 */
export const notify = (created: ImageEvent[], context: Context): Promise<number> =>
  logged({ batch: today(context) }, () => notifyWatchers(created, context))

async function notifyWatchers(created: ImageEvent[], context: Context): Promise<number> {
  const watchers = created.length > 0 ? await watchersOf(created, context) : []
  if (watchers.length === 0) return 0
  const [fired] = await Promise.all([fireAll(watchers, context), ensureScanning(context, true)])
  return fired
}

/** A trigger, and images to fire it with. */
interface Watcher {
  registration: Registration
  images: Image[]
}

async function watchersOf(created: ImageEvent[], { results }: Context): Promise<Watcher[]> {
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

/** @returns how many fires the platform accepted */
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
    // The trigger was deleted without its feed.
    if (thrown.status === 404) await deleteRegistration(context.results, trigger, registration)
    // The trigger belongs to a namespace that binds this package; fire the others.
    else if (thrown.status === 403) log.warn({ trigger }, 'the trigger may not be fired')
    // Throttled: the scan of the bucket finds the images.
    else if (thrown.retryable) log.info({ trigger, reason: thrown.message }, 'the fire was refused')
    else throw thrown
    return false
  }
}

/** Splits images into groups that fit one fire each. */
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
