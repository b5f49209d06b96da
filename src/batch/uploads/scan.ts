import { msOf } from '../../clock'
import { log } from '../../log'
import type { ImageRef } from '../../schema'
import { listRegistrations, type Registration } from '../../storage/feeds'
import type { ObjectInfo } from '../../storage/store'
import { type Planned, type Position, positionOf } from '../planning/planner'
import { sizesOf } from '../planning/sizes'
import { walkImages } from '../planning/walk'
import { chunksFrom, readChunk } from '../records/chunks'
import type { Batch, OpenBatch } from '../state/batch'
import { minute } from '../state/hand-over'
import type { Lease } from '../state/lease'
import { type Context, isTransient } from '../state/platform'
import { hasEnded } from './day'
import { newestOf } from './version'

/*
 * The loop of a day of uploads. Notifications may be lost, and many in a burst are refused, so each accepted one
 * ensures that this loop runs. It scans the watched buckets until nothing new was found for a whole clock minute:
 * refused requests use up the minute's quota, so a second burst may go unnoticed for that long.
 */

/** Pause between scans, milliseconds; grows while nothing is found. */
const minPause = 2_000
const maxPause = 15_000
/** Pause as a multiple of the time a scan took: an idle loop spends at most a tenth of its time scanning. */
const pausePerScan = 9

/** How often a pause checks whether to stop, milliseconds. */
const stopCheckEvery = 500

/** Images that may be planned ahead of dispatch: a successor reads them all. */
const maxAhead = 5_000

/** From this time on an empty scan is the last one, milliseconds since the epoch. */
export const quietFrom = (busyAt: number): number => (Math.floor(busyAt / minute) + 2) * minute

/** State shared by the scans of one activation. */
interface Scan {
  /** Images in flight or planned, with their etags. */
  taken: Map<string, string | undefined>
  /** Records known to match their images, though listings do not prove it. */
  fresh: Map<string, string>
  /** Key of the last arrival; null before the first scan. */
  arrival: string | null | undefined
  /** When a new arrival was seen, milliseconds since the epoch: it may begin a burst of refused notifications. */
  heardAt: number
  /**
   * Scan again: something was found, a scan failed, or an image was too young to take, as its notification may be in
   * progress.
   */
  hasMore: boolean
}

const dayOf = (lease: Lease): OpenBatch => lease.batch() as OpenBatch

/**
 * Scans for uploads that notifications missed, until the buckets are quiet.
 * @returns chunks to dispatch; the last one tells whether the day is over
 */
export async function* watchDay(
  lease: Lease,
  context: Context,
  isStopped: () => boolean,
): AsyncGenerator<Planned> {
  const { clock } = context
  const { batch, plan } = dayOf(lease)
  const scan = await openScan(lease, context)
  let position = positionOf(plan)
  for (let pause = minPause; !isStopped(); ) {
    const began = clock.now()
    if (hasEnded(batch, began)) return yield { images: [], gone: [], position: { ...position, done: true } }
    scan.hasMore = false
    for await (const images of tolerateFailure(scanBuckets(lease, context, scan), scan)) {
      position = after(position, images.length)
      yield { images, gone: [], position }
      await waitWhile(isStopped, context, () => position.planned - dayOf(lease).dispatch.next > maxAhead)
    }
    const busyAt = Math.max(dayOf(lease).busyAt, scan.heardAt)
    if (!scan.hasMore && began >= quietFrom(busyAt)) return
    pause = scan.hasMore ? minPause : Math.min(pause * 1.5, maxPause)
    const wait = Math.max(pause, pausePerScan * (clock.now() - began))
    // The first scan of an activation reads many records; a long pause after it must not delay known work.
    const until = clock.now() + (scan.hasMore ? Math.min(wait, maxPause) : wait)
    await waitWhile(isStopped, context, () => clock.now() < until)
  }
}

/** Tolerates a transient failure: another scan follows. */
async function* tolerateFailure(images: AsyncGenerator<ImageRef[]>, scan: Scan): AsyncGenerator<ImageRef[]> {
  try {
    yield* images
  } catch (thrown) {
    if (!isTransient(thrown)) throw thrown
    log.warn({ reason: thrown.message }, 'a scan of the watched buckets failed and will be repeated')
    scan.hasMore = true
    // If this was the first scan, an arrival may have come meanwhile.
    scan.arrival ??= undefined
  }
}

/** Waits while a condition holds, unless the loop is stopped. */
async function waitWhile(
  isStopped: () => boolean,
  { clock }: Context,
  isTooEarly: () => boolean,
): Promise<void> {
  while (isTooEarly() && !isStopped()) await clock.sleep(stopCheckEvery)
}

/** Whether a scan right now finds something. */
export async function hasMissed(lease: Lease, context: Context): Promise<boolean> {
  const scan = await openScan(lease, context)
  for await (const _ of scanBuckets(lease, context, scan)) return true
  return scan.hasMore
}

const imageName = ({ bucket, key }: Pick<ImageRef, 'bucket' | 'key'>): string => `${bucket}/${key}`

const after = (position: Position, images: number): Position => ({
  ...position,
  listed: position.listed + images,
  planned: position.planned + images,
})

async function openScan(lease: Lease, { results }: Context): Promise<Scan> {
  const { batch, plan, dispatch } = dayOf(lease)
  const taken: Scan['taken'] = new Map()
  const waiting = await chunksFrom(results, batch, plan, dispatch.next, maxAhead)
  for (const chunk of [...dispatch.pieces.map((piece) => piece.chunk), ...waiting])
    for (const image of await readChunk(results, batch, chunk)) taken.set(imageName(image), image.etag)
  return { taken, fresh: new Map(), arrival: null, heardAt: 0, hasMore: false }
}

/** Scans all watched buckets once. @returns the missing images, in chunks */
async function* scanBuckets(lease: Lease, context: Context, scan: Scan): AsyncGenerator<ImageRef[]> {
  const { results } = context
  const modelVersion = await currentVersion(lease, context, scan)
  for (const feed of await listRegistrations(results))
    if (!feed.paused && feed.bucket !== results.name) yield* scanFeed(feed, modelVersion, context, scan)
}

/** The model version in use, which becomes the day's. */
async function currentVersion(lease: Lease, context: Context, scan: Scan): Promise<string> {
  const { version: newest, arrival } = await newestOf(lease.batch(), context)
  if (scan.arrival !== null && scan.arrival !== arrival) scan.heardAt = context.clock.now()
  scan.arrival = arrival
  const { modelVersion } = dayOf(lease).model
  if (newest === undefined || newest === modelVersion) return modelVersion
  const renew = (day: Batch) => ({ ...day, model: { ...dayOf(lease).model, modelVersion: newest } })
  await lease.save((day) => (day.status === 'open' ? renew(day) : undefined))
  return newest
}

async function* scanFeed(
  feed: Registration,
  modelVersion: string,
  { store, results, clock }: Context,
  scan: Scan,
): AsyncGenerator<ImageRef[]> {
  const { bucket, prefix } = feed
  const { taken, fresh } = scan
  const now = clock.now()
  const isSelected = selectionOf(feed, now, scan)
  const prefixes = [prefix]
  const walk = {
    bucket,
    prefixes,
    modelVersion,
    cursor: '',
    force: false,
    backsOff: true,
    now,
    isSelected,
    fresh,
  }
  const sizes = sizesOf()
  const pending: ImageRef[] = []
  const take = (size: number): ImageRef[] => {
    const images = pending.splice(0, size)
    for (const image of images) taken.set(imageName(image), image.etag)
    scan.hasMore = true
    return images
  }
  for await (const { image } of walkImages(walk, store.bucket(bucket), results)) {
    if (!image || taken.get(imageName(image)) === image.etag) continue
    pending.push(image)
    if (pending.length >= sizes.fullSizeFrom) yield take(sizes.largest)
  }
  for (const size of sizes.spread(pending.length)) yield take(size)
}

/** Selects images uploaded since the watch began, except those whose notification may still be in progress. */
function selectionOf({ since, settle }: Registration, now: number, scan: Scan) {
  return ({ key, size, lastModified }: ObjectInfo): boolean => {
    if (key.endsWith('/') && size === 0) return false
    if (since !== undefined && msOf(lastModified) < msOf(since)) return false
    const isYoung = now - msOf(lastModified) < settle * 1000
    if (isYoung) scan.hasMore = true
    return !isYoung
  }
}
