import type { Context } from '../../src/batch/state/platform'
import { settingsFromParams } from '../../src/config'
import { actionsOf, contextsOf } from './actions'
import { classify } from './classifier'
import { type FaultRates, Faults } from './faults'
import { Containers } from './platform/containers'
import { type Deployed, Platform, type Surroundings } from './platform/openwhisk'
import type { Limits } from './platform/rates'
import { Process } from './process'
import { type Random, seeded } from './random'
import { ObjectStore } from './store/bucket'
import { Objects } from './store/contents'
import { type Skew, Time } from './time'
import { Trace } from './trace'
import { type Delivered, webhookOf } from './webhook'
import { Wire } from './wire'

/** Versions of the model: the first one is deployed, the other one may be later. */
export const models = ['tiny@00000001', 'tiny@00000002'] as const

export const buckets = { images: 'images', results: 'results' }

export interface WorldOptions {
  seed: number
  /** Milliseconds since the epoch. */
  start: number
  rates: FaultRates
  limits: Limits
  /** Of each action. */
  containers: number
  /** Milliseconds. */
  coldStart: number
  /** Milliseconds that a request, and its answer, take at most. */
  latency: number
  /** How far clocks are off at most, milliseconds. */
  skew: number
  pageLength: number
  partBytes: number
  blockBytes: number
  keepsTrace?: boolean
  /** Nothing dies, and all that fails is repeated at once. */
  isCalm: boolean
  /** What was there before, to begin with. */
  images?: Objects
  results?: Objects
}

/** All there is in one simulation. */
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
  /** The version of the model that is deployed. */
  model: string
  /** Of each version of an image, by `key@etag`: how often it was classified. */
  classified: Map<string, number>
  isCalm: boolean
  /** When each image was written last, by the true time, where a scenario did so. */
  changedAt: Map<string, number>
  /** Images of the list that batches are fired with, and of all its versions. */
  listed: string[]
  everListed: Set<string>
  /** When the last notification was sent that was dealt with. */
  toldAt: number
  /** Messages that the webhook has accepted. */
  delivered: Delivered[]
  /** What an action must not fail with. */
  unexpected: string[]
  /** Failures went on for longer than activations try again. */
  hasGivenUp: boolean
  /** Processes that run now; for those who kill one. */
  processes: Set<Process>
  /** A context outside of any activation, for those who only look. */
  outside(): Context
}

/** Constant, drifting away, or set right in one step: each clock in its own way. */
function drawSkew(random: Random, most: number, since: number): Skew {
  const offset = (random.next() * 2 - 1) * most
  switch (random.between(0, 2)) {
    case 0:
      return () => offset
    case 1:
      return (now) => Math.sign(offset) * Math.min(most, Math.abs(offset) + (now - since) / 1_000)
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
  // All others are off against it.
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
  const most = random.fork('most')
  const world = {
    model: models[0] as string,
    classified: new Map<string, number>(),
    isCalm: options.isCalm,
    changedAt: new Map<string, number>(),
    listed: [] as string[],
    everListed: new Set<string>(),
    toldAt: 0,
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
    store: ({ process }: Surroundings) => store.of(process),
    results: buckets.results,
    most: () => (most.chance(0.05) ? most.between(1, 5) : Number.POSITIVE_INFINITY),
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
    classify: (params: Record<string, unknown>, surroundings: Surroundings) =>
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
