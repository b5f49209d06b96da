import { msOf } from '../../clock'
import { log } from '../../log'
import type { ImageRef } from '../../schema'
import { listRegistrations, type Registration } from '../../storage/feeds'
import type { ObjectInfo } from '../../storage/store'
import { walkImages } from '../planning/missing'
import { type Planned, type Position, positionOf } from '../planning/planner'
import { sizesOf } from '../planning/sizes'
import { chunksFrom, readChunk } from '../records/chunks'
import type { Batch, OpenBatch } from '../state/batch'
import { minute } from '../state/hand-over'
import type { Lease } from '../state/lease'
import { type Context, mayPass } from '../state/platform'
import { isPast } from './day'
import { newestOf } from './version'

/*
 * The loop of a day of uploads. Notifications are hints, and most of a burst may be refused; so each one that is heard
 * sees to it that this runs: it compares the watched buckets with the records until nothing new was found for a whole
 * minute of the clock. Requests that were refused have used up their minute: so long another burst may go unheard.
 */

/** Between two looks, milliseconds; longer and longer while nothing is found. */
const firstPause = 2_000
const longestPause = 15_000
/** Where nothing is known to come, looking takes a tenth of the time at most. */
const restPerLook = 9

/** A pause ends so soon where the activation has to, milliseconds. */
const stopWithin = 500

/** So many images may be planned ahead of what is dispatched: a successor has to know which they are. */
const maxAhead = 5_000

/** From when on a look that finds nothing is the last one, milliseconds since the epoch. */
export const quietFrom = (busyAt: number): number => (Math.floor(busyAt / minute) + 2) * minute

/** What looks of one activation have in common, and what the last one came by. */
interface Eyes {
  /** What is under way or planned already, with its version. */
  taken: Map<string, string | undefined>
  /** Records that are known to be of their images' versions, though listings do not tell. */
  fresh: Map<string, string>
  /** The key of the last arrival; null before the first look. */
  arrival: string | null | undefined
  /** When another one was seen, milliseconds since the epoch: it may be the first of many notifications that are refused. */
  heardAt: number
  /**
   * There is reason to look again: something was found, or not all was seen. An image may be too young to be taken, for
   * its notification may be at work, or the look has failed.
   */
  hasMore: boolean
}

const dayOf = (lease: Lease): OpenBatch => lease.batch() as OpenBatch

/**
 * Looks for what notifications missed, for as long as there is reason to.
 * @returns chunks to be dispatched; the last one says whether the day is over, or it is quiet for now
 */
export async function* watchDay(
  lease: Lease,
  context: Context,
  isStopped: () => boolean,
): AsyncGenerator<Planned> {
  const { clock } = context
  const { batch, plan } = dayOf(lease)
  const eyes = await openEyes(lease, context)
  let position = positionOf(plan)
  for (let pause = firstPause; !isStopped(); ) {
    const began = clock.now()
    if (isPast(batch, began)) return yield { images: [], gone: [], position: { ...position, done: true } }
    eyes.hasMore = false
    for await (const images of outlasting(lookThrough(lease, context, eyes), eyes)) {
      position = after(position, images.length)
      yield { images, gone: [], position }
      await rest(isStopped, context, () => position.planned - dayOf(lease).dispatch.next > maxAhead)
    }
    const busyAt = Math.max(dayOf(lease).busyAt, eyes.heardAt)
    if (!eyes.hasMore && began >= quietFrom(busyAt)) return
    pause = eyes.hasMore ? firstPause : Math.min(pause * 1.5, longestPause)
    const wait = Math.max(pause, restPerLook * (clock.now() - began))
    // The first look of an activation reads many records: what is known to come must not wait for that.
    const until = clock.now() + (eyes.hasMore ? Math.min(wait, longestPause) : wait)
    await rest(isStopped, context, () => clock.now() < until)
  }
}

/** A look that fails in passing is followed by another one, as one that has not seen all. */
async function* outlasting(images: AsyncGenerator<ImageRef[]>, eyes: Eyes): AsyncGenerator<ImageRef[]> {
  try {
    yield* images
  } catch (thrown) {
    if (!mayPass(thrown)) throw thrown
    log.warn({ reason: thrown.message }, 'a look at the watched buckets failed, the next one follows')
    eyes.hasMore = true
    // Where this was the first look, an arrival may have come meanwhile.
    eyes.arrival ??= undefined
  }
}

/** Waits as long as there is reason to, and the loop is not stopped. */
async function rest(isStopped: () => boolean, { clock }: Context, isTooEarly: () => boolean): Promise<void> {
  while (isTooEarly() && !isStopped()) await clock.sleep(stopWithin)
}

/** Whether a look right now finds something. */
export async function findsMore(lease: Lease, context: Context): Promise<boolean> {
  const eyes = await openEyes(lease, context)
  for await (const _ of lookThrough(lease, context, eyes)) return true
  return eyes.hasMore
}

const nameOf = ({ bucket, key }: Pick<ImageRef, 'bucket' | 'key'>): string => `${bucket}/${key}`

const after = (position: Position, images: number): Position => ({
  ...position,
  listed: position.listed + images,
  planned: position.planned + images,
})

async function openEyes(lease: Lease, { results }: Context): Promise<Eyes> {
  const { batch, plan, dispatch } = dayOf(lease)
  const taken: Eyes['taken'] = new Map()
  const waiting = await chunksFrom(results, batch, plan, dispatch.next, maxAhead)
  for (const chunk of [...dispatch.pieces.map((piece) => piece.chunk), ...waiting])
    for (const image of await readChunk(results, batch, chunk)) taken.set(nameOf(image), image.etag)
  return { taken, fresh: new Map(), arrival: null, heardAt: 0, hasMore: false }
}

/** One look through all watched buckets: the images that are missing, in chunks. */
async function* lookThrough(lease: Lease, context: Context, eyes: Eyes): AsyncGenerator<ImageRef[]> {
  const { results } = context
  const modelVersion = await versionNow(lease, context, eyes)
  for (const feed of await listRegistrations(results))
    if (!feed.paused && feed.bucket !== results.name) yield* lookInto(feed, modelVersion, context, eyes)
}

/** The version of the model that answers now, which is the day's from then on. */
async function versionNow(lease: Lease, context: Context, eyes: Eyes): Promise<string> {
  const { version: newest, arrival } = await newestOf(lease.batch(), context)
  if (eyes.arrival !== null && eyes.arrival !== arrival) eyes.heardAt = context.clock.now()
  eyes.arrival = arrival
  const { modelVersion } = dayOf(lease).model
  if (newest === undefined || newest === modelVersion) return modelVersion
  const renew = (day: Batch) => ({ ...day, model: { ...dayOf(lease).model, modelVersion: newest } })
  await lease.save((day) => (day.status === 'open' ? renew(day) : undefined))
  return newest
}

async function* lookInto(
  feed: Registration,
  modelVersion: string,
  { store, results, clock }: Context,
  eyes: Eyes,
): AsyncGenerator<ImageRef[]> {
  const { bucket, prefix } = feed
  const { taken, fresh } = eyes
  const now = clock.now()
  const isMeant = meantBy(feed, now, eyes)
  const prefixes = [prefix]
  const walk = { bucket, prefixes, modelVersion, cursor: '', force: false, rests: true, now, isMeant, fresh }
  const sizes = sizesOf()
  const pending: ImageRef[] = []
  const take = (size: number): ImageRef[] => {
    const images = pending.splice(0, size)
    for (const image of images) taken.set(nameOf(image), image.etag)
    eyes.hasMore = true
    return images
  }
  for await (const { image } of walkImages(walk, store.bucket(bucket), results)) {
    if (!image || taken.get(nameOf(image)) === image.etag) continue
    pending.push(image)
    if (pending.length >= sizes.enough) yield take(sizes.largest)
  }
  for (const size of sizes.spread(pending.length)) yield take(size)
}

/** Images of the time before the watch began are left alone, and those whose notification may be at work. */
function meantBy({ since, settle }: Registration, now: number, eyes: Eyes) {
  return ({ key, size, lastModified }: ObjectInfo): boolean => {
    if (key.endsWith('/') && size === 0) return false
    if (since !== undefined && msOf(lastModified) < msOf(since)) return false
    const isYoung = now - msOf(lastModified) < settle * 1000
    if (isYoung) eyes.hasMore = true
    return !isYoung
  }
}
