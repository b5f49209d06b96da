import { readChunk } from '../../src/batch/records/chunks'
import { advance } from '../../src/batch/running/advance'
import { aggregate, classifiedSchema } from '../../src/batch/running/aggregate'
import type { ChunkMessage } from '../../src/batch/running/dispatch'
import { fire } from '../../src/batch/running/fire'
import { reconcile } from '../../src/batch/running/reconcile'
import { parseBatchRequest } from '../../src/batch/running/request'
import type { Context } from '../../src/batch/state/platform'
import { settingsFromParams } from '../../src/config'
import type { ModelFolder } from '../../src/models/folder'
import type { OpenWhisk } from '../../src/openwhisk/client'
import type { ImageRecord } from '../../src/schema'
import { recordOf } from './classify'
import type { VirtualClock } from './clock'
import { addRequests } from './meter'
import type { ScriptedAction, Surroundings } from './openwhisk'
import type { Process } from './process'
import { buckets, type Storage, storeOf } from './store'

/** What the scripted `classify` takes, milliseconds: the download is part of an image's time. */
export interface Speed {
  chunk: number
  image: number
}

/** What the actions run on. */
export interface Environment {
  clock: VirtualClock
  storage: Storage
  model: Pick<ModelFolder, 'version' | 'classes'>
  speed: Speed
  /** The platform's API as a process sees it. */
  openwhiskOf(process: Process, retries?: number): OpenWhisk
}

const settings = settingsFromParams({ imagesBucket: buckets.images, resultsBucket: buckets.results })

type Main = ScriptedAction['main']

/** The code of the actions: that of the repository, but for `classify`, which is a script. */
export const actionsOf = (environment: Environment): Record<string, Main> => ({
  'start-batch': async (params, surroundings) => {
    const context = contextOf(environment, surroundings)
    const request = parseBatchRequest(params)
    if ('advance' in request) return (await advance(request, context)) ?? {}
    return request.reconcile ? reconcile(context) : fire(request, context)
  },
  classify: (params, surroundings) => classify(params, surroundings, environment),
  aggregate: (params, surroundings) =>
    aggregate(classifiedSchema.parse(params), contextOf(environment, surroundings)),
})

function contextOf(
  { clock, storage, openwhiskOf }: Environment,
  { activation, process }: Surroundings,
): Context {
  const store = storeOf(storage, process)
  return {
    clock: { now: () => clock.now, sleep: (milliseconds) => clock.sleep(milliseconds) },
    random: Math.random,
    store,
    results: store.bucket(buckets.results),
    openwhisk: openwhiskOf(process, 0),
    settings,
    activation,
  }
}

/** As `src/batch/classify/classify-images.ts` has them. */
const maxOutputBytes = 800 * 1024
const deadlineMargin = 10_000

/** Says which model it is, or classifies a piece of a batch: as many images as time and the size of its answer allow. */
async function classify(
  params: Record<string, unknown>,
  { activation, process, container }: Surroundings,
  { clock, storage, model, speed }: Environment,
): Promise<object> {
  if (params.describe) return { model: model.version, engine: 'wasm' }
  const started = clock.now
  const { batch, chunk, start, end, model: name } = params as unknown as ChunkMessage
  const results = storeOf(storage, process).bucket(buckets.results)
  const pieces = (await readChunk(results, batch, chunk)).slice(start - chunk.start, end - chunk.start)
  await clock.sleep(speed.chunk)
  const images: ImageRecord[] = []
  let at = clock.now
  let bytes = 0
  for (const image of pieces) {
    if (images.length > 0 && (bytes > maxOutputBytes || at > activation.deadline - deadlineMargin)) break
    const record = recordOf(model, image, { activationId: activation.id, at })
    images.push(record)
    bytes += Buffer.byteLength(JSON.stringify(record)) + 1
    at += speed.image
  }
  addRequests(storage.requests, 'images', 'GET', images.length)
  await clock.sleep(at - clock.now)
  const spent = { ms: clock.now - started, container: `c${container}` }
  return { batch, part: { start, end, chunk, model: name }, images, spent }
}
