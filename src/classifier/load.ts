import { InvalidInputError, messageOf, WhisklensError } from '../errors'
import { log } from '../log'
import { type ModelFolder, modelFolderPath, readModelFolder, readModelHead } from '../model-folder/folder'
import { modelFor } from './default-model'
import { findEngine, isUsable } from './engines'
import { anyEngine, choiceOf, type EngineName, fileOf, readBy } from './engines/names'
import { stage } from './stage'
import { enginesOf, loadTask } from './tasks'
import { type SerialTask, serialTask } from './tasks/serial-task'

/** A loaded model. */
export interface LoadedModel {
  /** Without the files, which would be a second copy beside the engine's. */
  folder: Omit<ModelFolder, 'files'>
  engine: EngineName
  task: SerialTask
}

/** Models stay loaded in a warm container. Promises are cached, so that concurrent calls load once. */
const cache = new Map<string, Promise<LoadedModel>>()

/**
 * Loads a model and warms it up; cached for the life of the process.
 * @param model name of a folder in `models/`, a path, or `default` for the bundled one that suits the engine
 * @param engine its name, or `auto` for the best that works
 * @throws InvalidInputError if the folder or engine does not exist or is invalid
 * @throws WhisklensError `engine_missing` if the engine is not installed
 */
export async function loadModel(model: string, engine: string): Promise<LoadedModel> {
  const loaded = await loadWithoutWarmUp(model, engine)
  await loaded.task.warmUp()
  return loaded
}

/**
 * As {@link loadModel}, without the warm-up: the waiting image serves as one. If the model does not work, predicting throws the
 * error that {@link loadModel} would have thrown.
 */
export function loadWithoutWarmUp(model: string, engine: string): Promise<LoadedModel> {
  const key = `${engine} ${model}`
  const cached = cache.get(key)
  if (cached) return cached
  // Failures are not cached: the next call retries.
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

/** Tries engines in order: an installed one may not start on this machine, or not support an operation of the network. */
async function loadOnBest(model: string, choice: readonly EngineName[]): Promise<LoadedModel> {
  const head = await readModelHead(model)
  const failed: { engine: string; thrown: unknown }[] = []
  // If no engine fits, load on any of them, for its error message.
  const engines = enginesOf(head).filter((engine) => choice.includes(engine) && isUsable(engine))
  for (const engine of engines.length > 0 ? engines : choice.slice(-1)) {
    try {
      // Failures are not cached.
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
  return { folder, engine, task: serialTask(task, { unusable, forget }) }
}

/** @throws InvalidInputError if the engine cannot run the model's task or files */
function checkEngine(folder: ModelFolder, engine: EngineName, path: string): void {
  const engines = enginesOf(folder)
  if (engines.length === 0 || engines.includes(engine)) return
  const { id } = folder.description
  const file = fileOf(engine)
  const reason = folder.names.has(file) ? '' : `: there is no ${file} in ${path}`
  const other = `Set WHISKLENS_ENGINE to ${anyEngine}, or to one of: ${engines.join(', ')}`
  // Added models have an ONNX file, unless ONNX lacks one of their operations.
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
  // Errors with a hint are passed on unchanged.
  if (cause instanceof WhisklensError && cause.hint) return cause
  const code = cause instanceof WhisklensError ? cause.code : 'bad_model'
  return new InvalidInputError(code, `The model in ${path} cannot be used: ${messageOf(cause)}`, { cause })
}
