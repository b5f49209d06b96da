import { msOf } from '../../clock'
import type { ImageRef } from '../../schema'
import { listRegistrations, type Registration } from '../../storage/feeds'
import type { ObjectInfo } from '../../storage/store'
import { walkImages } from '../planning/missing'
import { type Planned, type Position, positionOf } from '../planning/planner'
import { sizesOf } from '../planning/sizes'
import { chunksFrom, readChunk } from '../records/chunks'
import type { OpenBatch } from '../state/batch'
import { minute } from '../state/hand-over'
import type { Context } from '../state/platform'
import { arrivalsAt, listArrivals, readArrival } from './arrivals'
import { isPast } from './day'

/*
 * The loop of a day of uploads. Notifications are hints, and most of a burst may be refused; so whoever hears of one
 * sees to it that this runs: it compares the watched buckets with the records until nothing new was found for a whole
 * minute of the clock. Requests that were refused have used up their minute: so long another burst may go unheard.
 */

/** Between two looks, milliseconds; longer and longer while nothing is found. */
const firstPause = 2_000
const longestPause = 15_000
/** Looking takes a tenth of the time at most. */
const restPerLook = 9

/** A pause ends so soon where the activation has to, milliseconds. */
const stopWithin = 500

/** So many images may be planned ahead of what is dispatched: a successor has to know which they are. */
const mostAhead = 5_000

/** How old an arrival may be to tell which version of the model answers, milliseconds. */
const recentArrivals = 10 * minute

/** From when on a look that finds nothing is the last one, milliseconds since the epoch. */
export const quietFrom = (busyAt: number): number => (Math.floor(busyAt / minute) + 2) * minute

export interface Watched {
  /** The day as it stands now. */
  batch(): OpenBatch
  isStopped(): boolean
}

interface Look {
  found: number
  /** An image is too young to be taken: its notification may be at work. */
  young: boolean
}

/**
 * Looks for what notifications missed, for as long as there is reason to.
 * @returns chunks to be dispatched; the last one says whether the day is over, or it is quiet for now
 */
export async function* watchDay(watched: Watched, context: Context): AsyncGenerator<Planned> {
  const { clock } = context
  const { batch, plan } = watched.batch()
  const taken = await takenBefore(watched.batch(), context)
  let position = positionOf(plan)
  for (let pause = firstPause; !watched.isStopped(); ) {
    const began = clock.now()
    if (isPast(batch, began)) return yield { images: [], gone: [], position: { ...position, done: true } }
    const look: Look = { found: 0, young: false }
    for await (const images of lookThrough(watched, context, taken, look)) {
      position = after(position, images.length)
      yield { images, gone: [], position }
      await rest(watched, context, () => position.planned - watched.batch().dispatch.next > mostAhead)
    }
    const hasMore = look.found > 0 || look.young
    if (!hasMore && began >= quietFrom(watched.batch().busyAt)) return
    pause = hasMore ? firstPause : Math.min(pause * 1.5, longestPause)
    const until = clock.now() + Math.max(pause, restPerLook * (clock.now() - began))
    await rest(watched, context, () => clock.now() < until)
  }
}

/** Waits as long as there is reason to, and nobody asks for an end. */
async function rest(watched: Watched, { clock }: Context, isTooEarly: () => boolean): Promise<void> {
  while (isTooEarly() && !watched.isStopped()) await clock.sleep(stopWithin)
}

/** Whether a look right now finds something. */
export async function findsMore(watched: Watched, context: Context): Promise<boolean> {
  if (isPast(watched.batch().batch, context.clock.now())) return false
  const look: Look = { found: 0, young: false }
  const taken = await takenBefore(watched.batch(), context)
  for await (const _ of lookThrough(watched, context, taken, look)) return true
  return look.young
}

const nameOf = ({ bucket, key }: Pick<ImageRef, 'bucket' | 'key'>): string => `${bucket}/${key}`

const after = (position: Position, images: number): Position => ({
  ...position,
  listed: position.listed + images,
  planned: position.planned + images,
})

/** What is under way or planned already, with its version. */
type Taken = Map<string, string | undefined>

async function takenBefore({ batch, plan, dispatch }: OpenBatch, { results }: Context) {
  const taken: Taken = new Map()
  const waiting = await chunksFrom(results, batch, plan, dispatch.next, mostAhead)
  for (const chunk of [...dispatch.pieces.map((piece) => piece.chunk), ...waiting])
    for (const image of await readChunk(results, batch, chunk)) taken.set(nameOf(image), image.etag)
  return taken
}

/** One look through all watched buckets: the images that are missing, in chunks. */
async function* lookThrough(
  watched: Watched,
  context: Context,
  taken: Taken,
  look: Look,
): AsyncGenerator<ImageRef[]> {
  const { results } = context
  const modelVersion = await versionNow(watched.batch(), context)
  for (const feed of await listRegistrations(results))
    if (!feed.paused && feed.bucket !== results.name)
      yield* lookInto(feed, modelVersion, context, taken, look)
}

async function* lookInto(
  feed: Registration,
  modelVersion: string,
  { store, results, clock }: Context,
  taken: Taken,
  look: Look,
): AsyncGenerator<ImageRef[]> {
  const { bucket, prefix } = feed
  const now = clock.now()
  const isMeant = meantBy(feed, now, look)
  const walk = { bucket, prefix, modelVersion, cursor: '', force: false, rests: true, now, isMeant }
  const sizes = sizesOf()
  const pending: ImageRef[] = []
  for await (const { image } of walkImages(walk, store.bucket(bucket), results)) {
    if (!image || taken.get(nameOf(image)) === image.etag) continue
    taken.set(nameOf(image), image.etag)
    pending.push(image)
    look.found++
    if (pending.length >= sizes.enough) yield pending.splice(0, sizes.largest)
  }
  for (const size of sizes.spread(pending.length)) yield pending.splice(0, size)
}

/** Images of the time before the watch began are left alone, and those whose notification may be at work. */
function meantBy({ since, settle }: Registration, now: number, look: Look) {
  return ({ key, size, lastModified }: ObjectInfo): boolean => {
    if (key.endsWith('/') && size === 0) return false
    if (since !== undefined && msOf(lastModified) < msOf(since)) return false
    const isYoung = now - msOf(lastModified) < settle * 1000
    if (isYoung) look.young = true
    return !isYoung
  }
}

/** The version of the model that answers now: deployed anew in the course of a day, it looks for other records. */
const versionNow = async ({ batch, model }: OpenBatch, context: Context): Promise<string> =>
  (await newestVersion(batch, context)) ?? model.modelVersion

/** The version of the model in the newest arrival of a day, where there is a recent one. */
export async function newestVersion(batch: string, { results, clock }: Context): Promise<string | undefined> {
  let newest: string | undefined
  for await (const { name } of listArrivals(results, batch, arrivalsAt(clock.now() - recentArrivals)))
    newest = name
  const records = newest === undefined ? [] : (await readArrival(results, batch, newest)).records
  return records.at(-1)?.model
}
