import { InvalidInputError, messageOf, WhisklensError } from '../errors'
import { log } from '../log'
import { type ModelFolder, modelFolderPath, readModelFolder, readModelHead } from '../model-folder/folder'
import { modelFor } from './default-model'
import { findEngine, isFit } from './engines'
import { anyEngine, choiceOf, type EngineName, fileOf, readBy } from './engines/names'
import { stage } from './stage'
import { enginesOf, loadTask } from './tasks'
import { inUse, type TaskInUse } from './tasks/in-use'

/** A model in memory, ready to look at images. */
export interface LoadedModel {
  /** Without its files, which would stay in memory beside the engine's copy. */
  folder: Omit<ModelFolder, 'files'>
  engine: EngineName
  task: TaskInUse
}

/** A warm container keeps its models; the promise is cached so that racing calls load once. */
const cache = new Map<string, Promise<LoadedModel>>()

/**
 * The model of that name on that engine, tried out, loaded on first use and cached for the life of the process.
 * @param model a folder's name in `models/`, a path, or `default` for the one in the box that suits the engine
 * @param engine its name, or `auto` for the best that works
 * @throws InvalidInputError when the folder or engine does not exist or is not valid
 * @throws WhisklensError `engine_missing` when the engine is not installed
 */
export async function loadModel(model: string, engine: string): Promise<LoadedModel> {
  const loaded = await loadUntried(model, engine)
  await loaded.task.warmUp()
  return loaded
}

/**
 * As {@link loadModel} for an image that waits: it proves the model itself, and nothing has to be looked at before. If the
 * model does not work, looking throws what {@link loadModel} would have.
 */
export function loadUntried(model: string, engine: string): Promise<LoadedModel> {
  const key = `${engine} ${model}`
  const cached = cache.get(key)
  if (cached) return cached
  // What failed must not poison the container: the next call tries again.
  const forget = (): void => void cache.delete(key)
  const loading = stage('loadModel', () => load(model, engine, forget), { model, engine })
  cache.set(key, loading)
  loading.catch(forget)
  return loading
}

async function load(model: string, engine: string, forget: () => void): Promise<LoadedModel> {
  const choice = choiceOf(engine)
  if (!choice) checkInstalled(engine)
  const name = modelFor(model, engine)
  return choice ? loadOnBest(name, choice) : loadOn(name, engine as EngineName, forget)
}

function checkInstalled(engine: string): void {
  const hint = findEngine(engine).missing()
  if (hint) throw new WhisklensError('engine_missing', `The engine "${engine}" is not installed`, { hint })
}

/** An engine that is there may still not start on this machine, or not know an operation of this network. */
async function loadOnBest(model: string, choice: readonly EngineName[]): Promise<LoadedModel> {
  const head = await readModelHead(model)
  const failed: { engine: string; thrown: unknown }[] = []
  // A model that runs on none is loaded on any, for its own words about it.
  const engines = enginesOf(head).filter((engine) => choice.includes(engine) && isFit(engine))
  for (const engine of engines.length > 0 ? engines : choice.slice(-1)) {
    try {
      // One that does not work is not cached.
      const loaded = await loadOn(model, engine, () => {})
      await loaded.task.warmUp()
      for (const { engine, thrown } of failed)
        log.warn({ engine, reason: messageOf(thrown) }, 'engine not used')
      return loaded
    } catch (thrown) {
      failed.push({ engine, thrown })
    }
  }
  throw failed.at(-1)?.thrown
}

async function loadOn(model: string, engine: EngineName, forget: () => void): Promise<LoadedModel> {
  const read = await readModelFolder(model, readBy(engine))
  const { files: _, ...folder } = read
  const path = modelFolderPath(model)
  checkEngine(read, engine, path)
  const unusable = (cause: unknown) => unusableError(path, cause)
  const task = await loadTask(read, engine, path).catch((cause) => {
    throw unusable(cause)
  })
  return { folder, engine, task: inUse(task, { unusable, forget }) }
}

/** @throws InvalidInputError when the model's task or files are not for the engine */
function checkEngine(folder: ModelFolder, engine: EngineName, path: string): void {
  const engines = enginesOf(folder)
  if (engines.length === 0 || engines.includes(engine)) return
  const { id } = folder.description
  const file = fileOf(engine)
  const reason = folder.names.has(file) ? '' : `: there is no ${file} in ${path}`
  const other = `Set WHISKLENS_ENGINE to ${anyEngine}, or to one of: ${engines.join(', ')}`
  // What was added has one, unless the network has an operation that ONNX has not.
  const add = engine === 'onnx' && reason ? `; or add the model: whisklens model add ${path}` : ''
  throw new InvalidInputError(
    'model_unfit',
    `The model "${id}" does not run on the engine "${engine}"${reason}`,
    {
      hint: `${other}${add}.`,
    },
  )
}

function unusableError(path: string, cause: unknown): WhisklensError {
  // An error that has a hint for the user is passed on as it is.
  if (cause instanceof WhisklensError && cause.hint) return cause
  const code = cause instanceof WhisklensError ? cause.code : 'bad_model'
  return new InvalidInputError(code, `The model in ${path} cannot be used: ${messageOf(cause)}`, { cause })
}
