import { corrupt, killer } from './classifier'
import { photos, type ScenarioEvent, type Selection } from './events'
import { listed, writeList } from './lists'
import type { Random } from './random'
import { buckets, models, type World } from './world'

/** What happens in a seed, besides faults. */
export interface Scenario {
  /** The selection of each fired batch, by id. */
  batches: Map<string, Selection>
  /** The watched prefix; undefined without a feed. */
  watched?: string
  events: ScenarioEvent[]
}

export const trigger = '/guest/image-uploaded'

/** Names that stores accept and programs mishandle. */
const names = ['a', 'b/c', 'B', 'é', '～', '😀', 'x y', 'z+%20&', '0', 'k~']

export const uploads = 'uploads/'

/**
 * Draws the events of a seed: a first batch, and whatever may interfere with it.
 * @param isCalm without events that kill or stop anything
 */
export function drawScenario(random: Random, isCalm: boolean): Scenario {
  const watched = random.chance(0.5) ? random.pick([uploads, uploads, '']) : undefined
  const batches = new Map<string, Selection>([['b1', { prefix: photos }]])
  if (random.chance(0.25)) batches.set('b2', { prefix: random.pick([photos, '']) })
  const events: ScenarioEvent[] = [fire(random, 'b1', { prefix: photos }, 0)]
  const span = random.pick([5_000, 60_000, 60_000, 300_000])
  const lists = random.fork('lists')
  if (lists.chance(0.35)) events.push(...fireList(lists, span, batches))
  const when = () => Math.floor(random.next() * span)
  const add = (kinds: ScenarioKind[], max: number) => {
    for (let left = random.between(0, max); left > 0; left--)
      events.push(random.pick(kinds)(random, when(), batches))
  }
  if (batches.has('b2')) events.push(fire(random, 'b2', batches.get('b2') as Selection, when()))
  add([change, change, remove, create], 6)
  add([refire, refire, cancel, retry], random.pick([0, 2, 4]))
  add([nudge, reconcile, poll, isCalm ? nudge : kill], random.pick([0, 2, 4]))
  if (random.chance(0.1)) events.push(deploy(random, when()))
  if (!isCalm && random.chance(0.25)) events.push(...revoke(random, when()))
  if (watched !== undefined)
    for (let left = random.between(1, 3); left > 0; left--) events.push(...burst(random, when(), watched))
  if (watched !== undefined && !isCalm && random.chance(0.3)) events.push(lateUpload(random, when(), watched))
  events.sort((a, b) => a.at - b.at)
  return { batches, watched, events }
}

type ScenarioKind = (random: Random, at: number, batches: Map<string, Selection>) => ScenarioEvent

const fireWith = (params: Record<string, unknown>) => (world: World) => {
  try {
    world.platform.fire('batch-requested', params)
  } catch {
    // Throttled: a fire that was not accepted has no effect.
  }
}

const invokeWith = (name: string, params: Record<string, unknown>) => (world: World) => {
  try {
    world.platform.invoke(name, params)
  } catch {
    // Throttled.
  }
}

function fire(random: Random, batch: string, about: Selection, at: number): ScenarioEvent {
  const chunkSize = random.pick([undefined, 1, 3])
  const force = random.chance(0.1) || undefined
  return { at, name: `fire ${batch}`, happen: fireWith({ batch, ...about, chunkSize, force }) }
}

/** Fires a batch with a list of images, which may be replaced meanwhile. */
function fireList(random: Random, span: number, batches: Map<string, Selection>): ScenarioEvent[] {
  const at = random.chance(0.5) ? 0 : Math.floor(random.next() * span)
  batches.set('m1', listed)
  const events = [writeList(random, at), fire(random, 'm1', listed, at)]
  if (random.chance(0.3)) events.push(writeList(random, at + random.pick([300, 2_000, 60_000])))
  return events
}

const anyOf = (random: Random, batches: Map<string, Selection>): [string, Selection] =>
  random.pick([...batches])

const refire: ScenarioKind = (random, at, batches) => {
  const [batch, about] = anyOf(random, batches)
  return fire(random, batch, about, at)
}
const cancel: ScenarioKind = (random, at, batches) => {
  const [batch, about] = anyOf(random, batches)
  return { at, name: `cancel ${batch}`, happen: fireWith({ batch, ...about, cancel: true }) }
}
const retry: ScenarioKind = (random, at, batches) => {
  const [batch] = anyOf(random, batches)
  return { at, name: `retry ${batch}`, happen: fireWith({ batch, retry: true }) }
}
const nudge: ScenarioKind = (random, at, batches) => {
  const [batch] = anyOf(random, batches)
  return { at, name: `nudge ${batch}`, happen: invokeWith('start-batch', { advance: batch }) }
}
const reconcile: ScenarioKind = (_, at) => ({
  at,
  name: 'reconcile',
  happen: invokeWith('start-batch', { reconcile: true }),
})
const poll: ScenarioKind = (_, at) => ({
  at,
  name: 'poll',
  happen: (world) => {
    if (world.results.page('feeds/', '', 1).length > 0) invokeWith('start-batch', { poll: trigger })(world)
  },
})
const kill: ScenarioKind = (random, at) => {
  const number = random.next()
  return {
    at,
    name: 'kill',
    happen: ({ processes }) => [...processes][Math.floor(number * processes.size)]?.die(),
  }
}

/** Deploys another model version: running containers keep the old one. */
const deploy = (_: Random, at: number): ScenarioEvent => ({
  at,
  name: 'deploy',
  happen: (world) => {
    world.model = models[1]
    for (const containers of Object.values(world.containers)) containers.drop()
  },
})

const deny =
  (denied: string[]) =>
  ({ store }: World) => {
    store.denied = denied
  }

/** Revokes the keys of the object store, or of the images bucket, and restores them. */
const revoke = (random: Random, at: number): ScenarioEvent[] => {
  const denied = random.fork(`revoke ${at}`).pick([Object.values(buckets), [buckets.images]])
  const restored = at + random.pick([2_000, 60_000, 400_000])
  return [
    { at, name: `revoke ${denied.join()}`, happen: deny(denied) },
    { at: restored, name: 'restore', happen: deny([]) },
  ]
}

/** The content of an image version: some cannot be decoded, a few kill their process. */
export function bytesOf(random: Random, world: World, version: number): Buffer {
  const kind = random.next()
  const text = kind < 0.001 && !world.isCalm ? killer : kind < 0.05 ? corrupt : 'image'
  return Buffer.from(`${text} ${version}`)
}

/** Gives each version its own bytes. */
const nextVersion = (world: World): number => world.images.changes + 1

export const create: ScenarioKind = (random, at) => {
  const key = `${photos}${random.pick(names)}${random.between(0, 99)}.jpg`
  const number = random.fork(`create ${at}`)
  return {
    at,
    name: `create ${key}`,
    happen: (world) => put(world, key, bytesOf(number, world, nextVersion(world))),
  }
}

const existing = (world: World, share: number): string | undefined => {
  const all = world.images.page('', '', 1000)
  return all[Math.floor(share * all.length)]?.key
}

const change: ScenarioKind = (random, at) => {
  const share = random.next()
  const isBack = random.chance(0.2)
  const number = random.fork(`change ${at}`)
  return {
    at,
    name: 'change',
    happen: (world) => {
      const key = existing(world, share)
      // Some return to earlier bytes, and so to an earlier etag.
      if (key)
        put(world, key, isBack ? Buffer.from(`image ${key}`) : bytesOf(number, world, nextVersion(world)))
    },
  }
}

const remove: ScenarioKind = (random, at) => {
  const share = random.next()
  return {
    at,
    name: 'remove',
    happen: (world) => {
      const key = existing(world, share)
      if (key) {
        world.images.delete(key)
        world.trace.add(world.time.now, `removed ${key}`)
      }
    },
  }
}

export function put(world: World, key: string, body: Buffer): string {
  const { etag } = world.images.put(key, body, { now: world.time.now })
  world.changedAt.set(key, world.time.now)
  world.trace.add(world.time.now, `put ${key} ${body.toString()} ${etag}`)
  return etag
}

/** Posts a notification like a store, which ignores the outcome. */
function notify(world: World, image: object): void {
  try {
    const { now } = world.time
    const { ended } = world.platform.invoke('bucket-events', { images: [image] })
    void ended.then(({ hasFailed }) => {
      if (!hasFailed) world.notifiedAt = Math.max(world.notifiedAt, now)
    })
  } catch {
    // Throttled.
  }
}

/** Rapid uploads with one notification each, any of which may be refused. */
function burst(random: Random, at: number, watched: string): ScenarioEvent[] {
  const count = random.pick([1, 3, 8, 20])
  const share = random.pick([1, 1, 0.5, 0.05])
  const every = random.pick([20, 300, 5_000])
  const folder = watched || random.pick([uploads, photos])
  // The holder of a scan that expects nothing is about to leave when the burst comes.
  const before = random.chance(0.3)
    ? [poll(random, Math.max(0, at - random.between(0, 4_000)), new Map())]
    : []
  const events = Array.from({ length: count }, (_, index) => {
    const key = `${folder}${random.pick(names)}${random.between(0, 30)}.jpg`
    const isNotified = random.chance(share)
    const bytes = random.fork(`upload ${at} ${index}`)
    return {
      at: at + index * every,
      name: `upload ${key}`,
      happen: (world: World) => {
        const body = bytesOf(bytes, world, nextVersion(world))
        const etag = put(world, key, body)
        if (!isNotified) return
        const image = { bucket: buckets.images, key, etag, size: body.length }
        notify(world, image)
      },
    }
  })
  return [...before, ...events]
}

/**
 * An upload while a day's suspended holder is about to leave. Its notification is accepted, but may fire no trigger
 * because others have used up the minute's fires.
 */
function lateUpload(random: Random, at: number, watched: string): ScenarioEvent {
  const key = `${watched || uploads}late ${random.between(0, 9)}.jpg`
  const share = random.next()
  const bytes = random.fork(`late ${at}`)
  const upload = (world: World): void => {
    const { time, platform } = world
    for (const process of world.processes)
      if (process.name.startsWith('start-batch')) process.pausedUntil = time.now + 12_000
    for (let fires = 0; fires < 60; fires++) {
      try {
        platform.fire('/guest/of-others', {})
      } catch {
        // Throttled, as intended.
      }
    }
    const body = bytesOf(bytes, world, nextVersion(world))
    notify(world, { bucket: buckets.images, key, etag: put(world, key, body), size: body.length })
  }
  const happen = (world: World): void => {
    const { results, time } = world
    const before = results.onPut
    results.onPut = (object) => {
      before(object)
      if (!object.key.endsWith('/batch.json') || !object.body.includes('"phase":"leaving"')) return
      results.onPut = before
      if (!world.faults.isHealed) time.after(share * 10 * world.options.latency, () => upload(world))
    }
  }
  return { at, name: `late upload ${key}`, happen }
}

/** The images that exist at the start. */
export function createInitialImages(random: Random, world: World): void {
  const count = random.pick([1, 4, 9, 25])
  // Long before, so that listings prove records fresh; or just now.
  const age = random.pick([0, 60_000, 24 * 60 * 60_000])
  for (let index = 0; index < count; index++) {
    const key = `${random.chance(0.9) ? photos : 'other/'}${random.pick(names)}${index}.jpg`
    const body = random.chance(0.95) ? Buffer.from(`image ${key}`) : bytesOf(random, world, index)
    world.images.put(key, body, { now: world.time.now - age })
  }
}

/** Registers the feed's trigger for the bucket. */
export function watch(world: World, prefix: string): void {
  const registration = {
    trigger,
    bucket: buckets.images,
    prefix,
    paused: false,
    createdAt: new Date(world.time.now).toISOString(),
    since: new Date(Math.floor(world.time.now / 1000) * 1000).toISOString(),
    minutes: 0,
    settle: 10,
    revision: 1,
    writeId: '0',
  }
  const body = Buffer.from(JSON.stringify(registration))
  world.results.put(`feeds${trigger}.json`, body, { now: world.time.now })
}
