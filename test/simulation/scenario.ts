import { corrupt, killer } from './classifier'
import { type About, photos, type ScenarioEvent } from './events'
import { listed, writeList } from './lists'
import type { Random } from './random'
import { buckets, models, type World } from './world'

/** What a seed is about, beyond its faults. */
export interface Scenario {
  /** The batches that are fired, by id, with what they are about. */
  batches: Map<string, About>
  /** Of the registration of the feed; undefined where no bucket is watched. */
  watched?: string
  events: ScenarioEvent[]
}

export const trigger = '/guest/image-uploaded'

/** Names that stores take and programs stumble over. */
const names = ['a', 'b/c', 'B', 'é', '～', '😀', 'x y', 'z+%20&', '0', 'k~']

export const uploads = 'uploads/'

/**
 * Draws what happens in a seed: a batch at first, and around it all that may get in its way.
 * @param isCalm without what kills or stops anything
 */
export function drawScenario(random: Random, isCalm: boolean): Scenario {
  const watched = random.chance(0.5) ? random.pick([uploads, uploads, '']) : undefined
  const batches = new Map<string, About>([['b1', { prefix: photos }]])
  if (random.chance(0.25)) batches.set('b2', { prefix: random.pick([photos, '']) })
  const events: ScenarioEvent[] = [fire(random, 'b1', { prefix: photos }, 0)]
  const span = random.pick([5_000, 60_000, 60_000, 300_000])
  const lists = random.fork('lists')
  if (lists.chance(0.35)) events.push(...fireList(lists, span, batches))
  const when = () => Math.floor(random.next() * span)
  const add = (kinds: ScenarioKind[], most: number) => {
    for (let left = random.between(0, most); left > 0; left--)
      events.push(random.pick(kinds)(random, when(), batches))
  }
  if (batches.has('b2')) events.push(fire(random, 'b2', batches.get('b2') as About, when()))
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

type ScenarioKind = (random: Random, at: number, batches: Map<string, About>) => ScenarioEvent

const fireWith = (params: Record<string, unknown>) => (world: World) => {
  try {
    world.platform.fire('batch-requested', params)
  } catch {
    // Throttled: what was never taken is nobody's.
  }
}

const invokeWith = (name: string, params: Record<string, unknown>) => (world: World) => {
  try {
    world.platform.invoke(name, params)
  } catch {
    // Throttled.
  }
}

function fire(random: Random, batch: string, about: About, at: number): ScenarioEvent {
  const chunkSize = random.pick([undefined, 1, 3])
  const force = random.chance(0.1) || undefined
  return { at, name: `fire ${batch}`, happen: fireWith({ batch, ...about, chunkSize, force }) }
}

/** A batch that is fired with a list of images; at times that is replaced meanwhile. */
function fireList(random: Random, span: number, batches: Map<string, About>): ScenarioEvent[] {
  const at = random.chance(0.5) ? 0 : Math.floor(random.next() * span)
  batches.set('m1', listed)
  const events = [writeList(random, at), fire(random, 'm1', listed, at)]
  if (random.chance(0.3)) events.push(writeList(random, at + random.pick([300, 2_000, 60_000])))
  return events
}

const anyOf = (random: Random, batches: Map<string, About>): [string, About] => random.pick([...batches])

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

/** New code, with another version of the model: containers of the old one go on with what they have. */
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

/** The keys of the object store, or of the images alone, are revoked, and given back. */
const revoke = (random: Random, at: number): ScenarioEvent[] => {
  const denied = random.fork(`revoke ${at}`).pick([Object.values(buckets), [buckets.images]])
  const restored = at + random.pick([2_000, 60_000, 400_000])
  return [
    { at, name: `revoke ${denied.join()}`, happen: deny(denied) },
    { at: restored, name: 'restore', happen: deny([]) },
  ]
}

/** The bytes of a version of an image: some cannot be decoded, a few kill what tries. */
export function bytesOf(random: Random, world: World, version: number): Buffer {
  const kind = random.next()
  const text = kind < 0.001 && !world.isCalm ? killer : kind < 0.05 ? corrupt : 'image'
  return Buffer.from(`${text} ${version}`)
}

/** No two versions of any image have the same bytes, unless that is meant. */
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
      // Some get the bytes back that they had before, and with them the etag.
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

/** Posts a notification as a store does, which does not ask what became of it. */
function notify(world: World, image: object): void {
  try {
    const { now } = world.time
    const { ended } = world.platform.invoke('bucket-events', { images: [image] })
    void ended.then(({ hasFailed }) => {
      if (!hasFailed) world.toldAt = Math.max(world.toldAt, now)
    })
  } catch {
    // Throttled.
  }
}

/** Uploads that come quickly, one notification each, of which the platform may refuse any number. */
function burst(random: Random, at: number, watched: string): ScenarioEvent[] {
  const count = random.pick([1, 3, 8, 20])
  const share = random.pick([1, 1, 0.5, 0.05])
  const every = random.pick([20, 300, 5_000])
  const folder = watched || random.pick([uploads, photos])
  // One that only looks at what is there is about to leave when the burst comes.
  const before = random.chance(0.3)
    ? [poll(random, Math.max(0, at - random.between(0, 4_000)), new Map())]
    : []
  const events = Array.from({ length: count }, (_, index) => {
    const key = `${folder}${random.pick(names)}${random.between(0, 30)}.jpg`
    const isTold = random.chance(share)
    const bytes = random.fork(`upload ${at} ${index}`)
    return {
      at: at + index * every,
      name: `upload ${key}`,
      happen: (world: World) => {
        const body = bytesOf(bytes, world, nextVersion(world))
        const etag = put(world, key, body)
        if (!isTold) return
        const image = { bucket: buckets.images, key, etag, size: body.length }
        notify(world, image)
      },
    }
  })
  return [...before, ...events]
}

/**
 * An upload while the holder of a day, which stands still, is about to leave: its notification is taken, but may fire no
 * trigger, for others have used up the fires of the minute.
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
        // That is what for.
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

/** The images that are there from the beginning. */
export function firstImages(random: Random, world: World): void {
  const count = random.pick([1, 4, 9, 25])
  // Long before, so that a listing alone tells a record fresh; or right now.
  const age = random.pick([0, 60_000, 24 * 60 * 60_000])
  for (let index = 0; index < count; index++) {
    const key = `${random.chance(0.9) ? photos : 'other/'}${random.pick(names)}${index}.jpg`
    const body = random.chance(0.95) ? Buffer.from(`image ${key}`) : bytesOf(random, world, index)
    world.images.put(key, body, { now: world.time.now - age })
  }
}

/** Has a trigger watch the bucket, as the feed does. */
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
