import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import pLimit from 'p-limit'
import { machineMemory, memoryShare } from '../classifier/container-memory'
import { type LoadedModel, loadModel } from '../classifier/load'
import { parseSettings } from '../config'
import { WhisklensError } from '../errors'
import { homeFolder } from '../paths'
import { type Answer, classifyEach } from './classify/each'
import { type ClassifyPool, openPool } from './classify/pool'
import { type ClassifyAnswer, type ClassifyTask, problemOf } from './classify/task'
import { classifyWith } from './classify/worker'
import { needStore, resolveConnection } from './connection'
import { fromConfigFile, fromEnvironment } from './connection-sources'
import { classifyAllSchema, classifySchema, modelSchema, parseOptions } from './options'
import { readSource, sourcesOf } from './sources/sources'
import type {
  ClassifiedImage,
  ClassifyAllOptions,
  FailedImage,
  ImageSource,
  Model,
  ModelOptions,
} from './types/classification'
import type { ConnectionOptions } from './types/connection'

/** Images in flight in this thread: some are decoded while the engine runs another. More would only use memory. */
const inThread = pLimit(4)

/** Starting worker threads takes as long as classifying this many images in the current thread. */
const workerThreshold = 32

/** @see openModel in index.ts */
export async function openModel(name?: string, options?: ModelOptions): Promise<Model> {
  const { engine: wanted } = parseOptions(modelSchema, options)
  const set = parseSettings({ ...(await fromConfigFile(process.cwd())), ...fromEnvironment(process.env) })
  const model = name ?? set.model
  const engine = wanted ?? set.engine
  const loaded = await loadModel(model, engine)
  return modelOf(loaded, { model, engine })
}

function modelOf(loaded: LoadedModel, named: { model: string; engine: string }): Model {
  const { version, description, classes } = loaded.folder
  return {
    id: description.id,
    version,
    engine: loaded.engine,
    task: description.task as Model['task'],
    classes: classes.length,
    inputSize: 'size' in description.input ? description.input.size : 0,
    classify: async (image, options) => {
      const { connection, ...how } = parseOptions(classifySchema, options)
      const store = storeOf(connection)
      return inThread(async () => classifyWith(loaded, { image: await readSource(image, store), ...how }))
    },
    classifyAll: (images, options) => classifyAll(loaded, named, images, options),
  }
}

async function* classifyAll(
  loaded: LoadedModel,
  named: { model: string; engine: string },
  images: Parameters<Model['classifyAll']>[0],
  options?: ClassifyAllOptions,
): ReturnType<Model['classifyAll']> {
  const {
    threads = availableParallelism(),
    onSkip = () => {},
    connection,
    ...how
  } = parseOptions(classifyAllSchema, options)
  const context = { store: storeOf(connection), skip: ({ path }: { path: string }) => onSkip(path) }
  let pool: ClassifyPool | undefined
  let hasEnded = false
  let count = 0

  async function* sources() {
    for await (const image of isOne(images) ? [images] : images) yield* sourcesOf(image, context)
  }
  /** Classifies in this thread. Drops queued images when the iteration ends early. */
  const classifyInThread = (task: ClassifyTask): Promise<ClassifyAnswer> =>
    inThread(async () => (hasEnded ? {} : { classified: await classifyWith(loaded, task) })).catch(
      (thrown) => ({
        error: problemOf(thrown),
      }),
    )
  const run = (task: ClassifyTask): Promise<ClassifyAnswer> => {
    if (threads === 0 || count++ < workerThreshold) return classifyInThread(task)
    pool ??= openPool(workerFile(), threads, { atOnce: 1, memory: memoryShare(machineMemory(), threads) })
    return pool.run(task)
  }

  try {
    for await (const answer of classifyEach(sources(), run, {
      ...named,
      ...how,
      threads: Math.max(threads, 1),
    }))
      yield outcomeOf(answer)
  } finally {
    hasEnded = true
    await pool?.close()
  }
}

function outcomeOf({ file, classified, error }: Answer): ClassifiedImage | FailedImage {
  if (classified) return { file, ...classified }
  const { code, message, hint } = error ?? { code: 'internal' as const, message: 'The image has no result' }
  return { file, labels: [], error: new WhisklensError(code, message, { hint }) }
}

const isOne = (images: Parameters<Model['classifyAll']>[0]): images is ImageSource =>
  typeof images !== 'object' || images instanceof URL || images instanceof Uint8Array || 'bytes' in images

/** Resolved when the first `s3://` address needs it. */
const storeOf =
  (connection: ConnectionOptions = {}) =>
  async () =>
    needStore(await resolveConnection(connection))

/** Bundle of the worker threads. */
const workerFile = (): string => join(homeFolder(), 'dist', 'classify-worker.cjs')
