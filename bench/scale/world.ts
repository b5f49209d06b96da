import { readChunk } from '../../src/batch/records/chunks'
import type { ChunkMessage } from '../../src/batch/running/dispatch'
import { recordsPrefix } from '../../src/batch/state/layout'
import { settingsFromParams } from '../../src/config'
import type { ImageRecord, ImageRef } from '../../src/schema'
import { actionsOf, contextsOf } from '../../test/simulation/actions'
import { Faults } from '../../test/simulation/faults'
import { Containers } from '../../test/simulation/platform/containers'
import { type Deployed, type Environment, Platform } from '../../test/simulation/platform/openwhisk'
import type { Limits } from '../../test/simulation/platform/rates'
import { seeded } from '../../test/simulation/random'
import { ObjectStore } from '../../test/simulation/store/bucket'
import type { Contents } from '../../test/simulation/store/contents'
import { Time } from '../../test/simulation/time'
import { Trace } from '../../test/simulation/trace'
import { Wire } from '../../test/simulation/wire'
import { type Calls, callOf, perListed } from './calls'
import { Images, numberOf } from './images'
import { modelVersion, Records, recordOf } from './records'
import { Results, WeightlessUploads } from './results'

const buckets = { images: 'images', results: 'results' }

/** Parameters of a simulation. Times in milliseconds. */
export interface ScaleOptions {
  /** Total number of images, including later uploads. */
  images: number
  /** Number of existing images. */
  existing?: number
  /** Fire the batch with a list of all images, shuffled, a tenth of them twice. */
  isListed?: boolean
  limits: Limits
  /** Containers of `classify`; other actions are not limited. */
  containers: number
  coldStart: number
  /** Time per image, including download, and overhead per chunk. */
  imageMs: number
  chunkMs: number
  calls: Calls
}

/** Discards the trace. */
class NoTrace extends Trace {
  override add(): void {}
}

export interface ScaleWorld {
  time: Time
  wire: Wire
  platform: Platform
  images: Images
  results: Results
  containers: Containers
  /** Number of requests of each kind. */
  requests: Map<string, number>
  failures: string[]
}

/** Limit of `classify`'s output: a sequence passes on at most 1 MiB. */
const maxOutputBytes = 800 * 1024
const deadlineMargin = 10_000
const stockColdStart = 500

export function createScaleWorld(options: ScaleOptions): ScaleWorld {
  const time = new Time(Date.parse('2026-11-22T08:00:00Z'))
  const random = seeded(1)
  const requests = new Map<string, number>()
  const bump = (name: string, count = 1) => requests.set(name, (requests.get(name) ?? 0) + count)
  const wire = new Wire(
    time,
    new Faults({}, random.fork('faults')),
    random.fork('wire'),
    new NoTrace(false),
    (name, way) => {
      const call = callOf(name)
      if (way === 'there') bump(call)
      const more = way === 'back' && call === 'LIST' ? listed * perListed(options.calls) : 0
      return options.calls[call] / 2 + more
    },
  )
  /** Number of objects in the next listing page to be answered. */
  let listed = 0
  const counting = (contents: Contents): Contents => ({
    get: (key) => contents.get(key),
    put: (key, body, more) => contents.put(key, body, more),
    delete: (key) => contents.delete(key),
    page: (prefix, after, count) => {
      const page = contents.page(prefix, after, count)
      listed = page.length
      return page
    },
  })
  const images = new Images(options.images, options.existing)
  const records = new Records(options.images, recordsPrefix(modelVersion, buckets.images), buckets.images)
  const results = new Results(records, buckets.images, options.imageMs)
  const store = new ObjectStore({
    wire,
    now: () => time.now,
    pageLength: 1_000,
    partBytes: 5 * 1024 * 1024,
    blockBytes: 1024 * 1024,
  })
  store.create(buckets.images, counting(images))
  store.create(buckets.results, counting(results), new WeightlessUploads(0))
  const failures: string[] = []
  const settings = settingsFromParams({ imagesBucket: buckets.images, resultsBucket: buckets.results })
  const ours = random.fork('activations')
  const openwhisk = (process: Environment['process']) => platform.of(process)
  const contextOf = contextsOf({ store, openwhisk, random: ours.next, settings })

  async function classifyAll(all: ImageRef[], { activation, clock }: Environment): Promise<ImageRecord[]> {
    await clock.sleep(options.chunkMs)
    const found: ImageRecord[] = []
    let at = clock.now()
    let bytes = 0
    for (const { key } of all) {
      if (found.length > 0 && (bytes > maxOutputBytes || at > activation.deadline - deadlineMargin)) break
      const record = recordOf(numberOf(key), { activationId: activation.id, at, bucket: buckets.images })
      found.push(record)
      // Estimated at 900 bytes: measuring takes longer than generating.
      bytes += 900
      at += options.imageMs
    }
    bump('GET image', found.length)
    await clock.sleep(at - clock.now())
    return found
  }

  async function classify(params: Record<string, unknown>, surroundings: Environment): Promise<object> {
    if (params.describe) return { model: modelVersion, engine: 'wasm' }
    const { clock, container, process } = surroundings
    const began = clock.now()
    if (params.images) {
      const found = await classifyAll(params.images as ImageRef[], surroundings)
      return { images: found, spent: { ms: clock.now() - began, container } }
    }
    const { batch, by, chunk, start, end, model } = params as unknown as ChunkMessage
    const all = await readChunk(store.of(process).bucket(buckets.results), batch, chunk)
    const found = await classifyAll(all.slice(start - chunk.start, end - chunk.start), surroundings)
    const spent = { ms: clock.now() - began, container }
    return { batch, part: { start, end, chunk, model, by }, images: found, spent }
  }

  const containers = new Containers(time, options.containers, options.coldStart)
  const stock = () => new Containers(time, Number.POSITIVE_INFINITY, stockColdStart)
  const mains = actionsOf(
    contextOf,
    (thrown, action) => failures.push(`${action}: ${thrown}`),
    () => {},
  )
  const deployed: Deployed = {
    actions: {
      'start-batch': { main: mains['start-batch'], timeout: 300_000, memory: 256, containers: stock() },
      aggregate: { main: mains.aggregate, timeout: 120_000, memory: 256, containers: stock() },
      'bucket-events': { main: mains['bucket-events'], timeout: 120_000, memory: 256, containers: stock() },
      classify: { main: classify, timeout: 120_000, memory: 512, containers },
    },
    sequences: { 'classify-images': ['classify', 'aggregate'] },
    rules: { 'image-uploaded': 'classify-images', 'batch-requested': 'start-batch' },
  }
  const platform = new Platform(wire, options.limits, deployed, random.fork('platform'), () => () => 0)
  return { time, wire, platform, images, results, containers, requests, failures }
}
