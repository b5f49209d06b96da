import { InvalidInputError } from '../../errors'
import type { TaskName } from '../../model-folder/description'
import type { ModelFolder } from '../../model-folder/folder'
import { type EngineName, engineNames, fileOf } from '../engines/names'
import { loadClassification } from './classification'
import type { LoadTask, Task } from './task'

/** Networks of one square run on every engine; other models bring a library, which needs one of TensorFlow.js' own. */
const onTensorFlowJs: readonly EngineName[] = ['wasm', 'cpu']

/** Whatever loads TensorFlow.js is loaded with the first model that needs it. */
const tasks: { [T in TaskName]: { engines: readonly EngineName[]; load: LoadTask<T> } } = {
  classification: { engines: engineNames, load: loadClassifier },
  embedding: { engines: [], load: withoutLabels },
  detection: {
    engines: onTensorFlowJs,
    load: async (...args) => (await import('./detection')).loadDetection(...args),
  },
  faces: { engines: onTensorFlowJs, load: async (...args) => (await import('./faces')).loadFaces(...args) },
}

type Described = Pick<ModelFolder, 'description' | 'names'>

/** ONNX Runtime needs no library for what is a network like others. */
async function loadClassifier(...args: Parameters<LoadTask<'classification'>>): Promise<Task> {
  const [{ description }, engine] = args
  const usesLibrary = description.family === 'mobilenet' && engine !== 'onnx'
  return usesLibrary ? (await import('./mobilenet')).loadMobileNet(...args) : loadClassification(...args)
}

/** Whether the folder has what an engine reads. */
function hasFor(engine: EngineName, { description, names }: Described): boolean {
  if (description.task === 'faces') return true
  // Graphs of TensorFlow.js take no pixels as they are.
  const isUint8 = 'type' in description.input && description.input.type === 'uint8'
  return names.has(fileOf(engine)) && (engine === 'onnx' || !isUint8)
}

/** The engines that a model runs on by its task and files, best first. */
export const enginesOf = (folder: Described): readonly EngineName[] =>
  tasks[folder.description.task].engines.filter((engine) => hasFor(engine, folder))

/** Brings a model into memory, see {@link LoadTask}. */
export function loadTask(folder: ModelFolder, engine: EngineName, path: string): Promise<Task> {
  // The table has for each task what its descriptions need, which the compiler cannot follow through an index.
  const load = tasks[folder.description.task].load as LoadTask<TaskName>
  return load(folder, engine, path)
}

async function withoutLabels({ description }: ModelFolder): Promise<never> {
  throw new InvalidInputError(
    'model_unfit',
    `The model "${description.id}" is an embedding: it has no labels of its own`,
    {
      hint: `Teach it some: whisklens teach <folder> --model ${description.id}`,
    },
  )
}
