import type { Context } from '../../src/batch/state/platform'
import { settingsFromParams } from '../../src/config'
import { actionsOf, contextsOf } from './actions'
import { classify } from './classifier'
import { type FaultRates, Faults } from './faults'
import { Containers } from './platform/containers'
import { type Deployed, type Environment, Platform } from './platform/openwhisk'
import type { Limits } from './platform/rates'
import { Process } from './process'
import { type Random, seeded } from './random'
import { ObjectStore } from './store/bucket'
import { Objects } from './store/contents'
import { type Skew, Time } from './time'
import { Trace } from './trace'
import { type Delivered, webhookOf } from './webhook'
import { Wire } from './wire'

/** Model versions: the first is deployed at the start, the second possibly later. */
export const models = ['tiny@00000001', 'tiny@00000002'] as const

export const buckets = { images: 'images', results: 'results' }

export interface WorldOptions {
  seed: number
  /** Milliseconds since the epoch. */
  start: number
  rates: FaultRates
  limits: Limits
  /** Per action. */
  containers: number
  /** Milliseconds. */
  coldStart: number
  /** Maximum latency of a request and of its response, milliseconds. */
  latency: number
  /** Maximum clock skew, milliseconds. */
  skew: number
  pageLength: number
  partBytes: number
  blockBytes: number
  keepsTrace?: boolean
  /** Nothing dies, and every failure is retried at once. */
  isCalm: boolean
  /** Initial contents. */
  images?: Objects
  results?: Objects
}

/** The state of a simulation. */
export interface World {
  options: WorldOptions
  time: Time
  wire: Wire
  faults: Faults
  trace: Trace
  store: ObjectStore
  platform: Platform
  images: Objects
  results: Objects
  containers: Record<string, Containers>
  /** The deployed model version. */
  model: string
  /** Number of classifications by `key@etag`. */
  classified: Map<string, number>
  isCalm: boolean
  /** When a scenario last wrote each image, by true time. */
  changedAt: Map<string, number>
  /** Images on the current list, and on any of its versions. */
  listed: string[]
  everListed: Set<string>
  /** When the last accepted notification was sent. */
  notifiedAt: number
  /** Messages accepted by the webhook. */
  delivered: Delivered[]
  /** Errors that no action may fail with. */
  unexpected: string[]
  /** Failures lasted longer than the retries. */
  hasGivenUp: boolean
  /** Running processes. */
  processes: Set<Process>
  /** A context outside any activation. */
  outside(): Context
}

/** A skew that is constant, drifts, or is corrected in one step. */
function drawSkew(random: Random, max: number, since: number): Skew {
  const offset = (random.next() * 2 - 1) * max
  switch (random.between(0, 2)) {
    case 0:
      return () => offset
    case 1:
      return (now) => Math.sign(offset) * Math.min(max, Math.abs(offset) + (now - since) / 1_000)
    default: {
      const stepsAt = since + random.between(0, 200_000)
      return (now) => (now < stepsAt ? offset : 0)
    }
  }
}

export function createWorld(options: WorldOptions): World {
  const random = seeded(options.seed)
  const time = new Time(options.start)
  const trace = new Trace(options.keepsTrace ?? false)
  const faults = new Faults(options.rates, random.fork('faults'))
  const wire = new Wire(time, faults, random.fork('wire'), trace, options.latency)
  // The reference clock.
  const store = new ObjectStore({ wire, now: () => time.now, ...options })
  const images = options.images ?? new Objects()
  const results = options.results ?? new Objects()
  store.create(buckets.images, images)
  store.create(buckets.results, results)
  const settings = settingsFromParams({
    imagesBucket: buckets.images,
    resultsBucket: buckets.results,
    model: 'tiny',
  })
  const skews = random.fork('skew')
  const skewOf = () => drawSkew(skews, options.skew, time.now)
  const ours = random.fork('activations')
  const limits = random.fork('most')
  const world = {
    model: models[0] as string,
    classified: new Map<string, number>(),
    isCalm: options.isCalm,
    changedAt: new Map<string, number>(),
    listed: [] as string[],
    everListed: new Set<string>(),
    notifiedAt: 0,
    delivered: [] as Delivered[],
    unexpected: [] as string[],
    hasGivenUp: false,
    processes: new Set<Process>(),
  }
  const openwhisk = (process: Process) => platform.of(process)
  const contextOf = contextsOf({
    store,
    openwhisk,
    webhook: webhookOf(wire, world.delivered),
    random: ours.next,
    settings,
  })
  const classifier = {
    version: () => world.model,
    store: ({ process }: Environment) => store.of(process),
    results: buckets.results,
    maxImages: () => (limits.chance(0.05) ? limits.between(1, 5) : Number.POSITIVE_INFINITY),
    onClassified: ({ key, etag }: { key: string; etag: string }) => {
      const version = `${key}@${etag}`
      world.classified.set(version, (world.classified.get(version) ?? 0) + 1)
    },
  }
  const mains = {
    ...actionsOf(
      contextOf,
      (thrown, action) =>
        world.unexpected.push(`${action}: ${thrown instanceof Error ? thrown.stack : thrown}`),
      () => {
        world.hasGivenUp = true
      },
    ),
    classify: (params: Record<string, unknown>, surroundings: Environment) =>
      classify(params, surroundings, classifier),
  }
  const shapes = {
    'start-batch': { timeout: 300_000, memory: 256 },
    aggregate: { timeout: 120_000, memory: 256 },
    'bucket-events': { timeout: 120_000, memory: 256 },
    classify: { timeout: 120_000, memory: 512 },
  }
  const containers: Record<string, Containers> = {}
  const deployed: Deployed = {
    actions: {},
    sequences: { 'classify-images': ['classify', 'aggregate'] },
    rules: { 'image-uploaded': 'classify-images', 'batch-requested': 'start-batch' },
  }
  for (const [name, shape] of Object.entries(shapes)) {
    const own = new Containers(time, options.containers, options.coldStart)
    containers[name] = own
    deployed.actions[name] = {
      ...shape,
      containers: own,
      main: async (params, surroundings) => {
        const { process } = surroundings
        world.processes.add(process)
        process.whenDead(() => world.processes.delete(process))
        return mains[name as keyof typeof mains](params, surroundings)
      },
    }
  }
  const platform = new Platform(wire, options.limits, deployed, random.fork('platform'), skewOf)
  const outside = (): Context =>
    contextOf({
      activation: {
        id: '0'.repeat(32),
        deadline: Number.MAX_SAFE_INTEGER,
        namespace: 'guest',
        actionName: '/guest/whisklens/outside',
      },
      process: new Process('outside'),
      clock: { now: () => Math.floor(time.now), sleep: (milliseconds) => time.sleep(milliseconds) },
      container: 'none',
    })
  return Object.assign(world, {
    options,
    time,
    wire,
    faults,
    trace,
    store,
    platform,
    images,
    results,
    containers,
    outside,
  })
}
