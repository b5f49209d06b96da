import { InvalidInputError, messageOf, WhisklensError } from '../errors'
import { log } from '../log'
import { type ModelFolder, modelFolderPath, readModelFolder } from '../models/folder'
import { findEngine } from './engines'
import type { Predictor } from './engines/engine'
import { anyEngine, engineNames } from './engines/names'
import { readNetwork } from './network'
import { stage } from './stage'

/** A model in memory, ready to predict. */
export interface LoadedModel {
  /** Without its files, which would stay in memory beside the engine's copy. */
  folder: Omit<ModelFolder, 'files'>
  engine: string
  predictor: Predictor
}

/** A warm container keeps its models; the promise is cached so that racing calls load once. */
const cache = new Map<string, Promise<LoadedModel>>()

/**
 * The model of that name on that engine, loaded on first use and cached for the life of the process.
 * @param model a folder's name in `models/`, or a path
 * @param engine its name, or `auto` for the best that works
 * @throws InvalidInputError when the folder or engine does not exist or is not valid
 * @throws WhisklensError `engine_missing` when the engine is not installed
 */
export function loadModel(model: string, engine: string): Promise<LoadedModel> {
  const key = `${engine} ${model}`
  const cached = cache.get(key)
  if (cached) return cached
  const loading =
    engine === anyEngine
      ? loadOnBest(model)
      : stage('loadModel', () => load(model, engine), { model, engine })
  cache.set(key, loading)
  // A failed load must not poison the container: the next call tries again.
  loading.catch(() => cache.delete(key))
  return loading
}

/** An engine that is there may still not start on this machine, or not know an operation of this network. */
async function loadOnBest(model: string): Promise<LoadedModel> {
  const failed: { engine: string; thrown: unknown }[] = []
  for (const engine of engineNames) {
    if (findEngine(engine).missing()) continue
    try {
      const loaded = await loadModel(model, engine)
      for (const { engine, thrown } of failed)
        log.warn({ engine, reason: messageOf(thrown) }, 'engine not used')
      return loaded
    } catch (thrown) {
      failed.push({ engine, thrown })
    }
  }
  throw failed.at(-1)?.thrown
}

async function load(model: string, name: string): Promise<LoadedModel> {
  const engine = findEngine(name)
  const missing = engine.missing()
  if (missing) {
    throw new WhisklensError('engine_missing', `The engine "${name}" is not installed`, { hint: missing })
  }
  const { files, ...folder } = await readModelFolder(model)
  const path = modelFolderPath(model)
  const network = readNetwork({ files, ...folder }, path)
  let predictor: Predictor | undefined
  try {
    predictor = await engine.load(network)
    await warmUp(predictor, folder)
    return { folder, engine: name, predictor }
  } catch (cause) {
    predictor?.dispose()
    throw new InvalidInputError(`The network in ${path} cannot be used: ${messageOf(cause)}`, { cause })
  }
}

/** The first inference compiles and allocates; better done here than on somebody's first image. */
async function warmUp(predictor: Predictor, { description, classes }: LoadedModel['folder']): Promise<void> {
  const { input, labels } = description
  const [{ length } = []] = await predictor.predict(new Float32Array(input.size * input.size * 3))
  if (length !== classes.length) {
    throw new InvalidInputError(`${labels} names ${classes.length} classes, but there are ${length}`)
  }
}
