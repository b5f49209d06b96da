import { InvalidInputError } from '../../errors'
import type { TaskName } from '../../model-folder/description'
import type { ModelFolder } from '../../model-folder/folder'
import { type EngineName, engineNames, fileOf } from '../engines/names'
import { loadClassification } from './classification'
import type { LoadTask, Task } from './task'

/** Square networks run on every engine; other models come with a library that needs TensorFlow.js. */
const onTensorFlowJs: readonly EngineName[] = ['wasm', 'cpu']

/** TensorFlow.js code is loaded with the first model that needs it. */
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

/** On ONNX Runtime, classifiers need no library. */
async function loadClassifier(...args: Parameters<LoadTask<'classification'>>): Promise<Task> {
  const [{ description }, engine] = args
  const usesLibrary = description.family === 'mobilenet' && engine !== 'onnx'
  return usesLibrary ? (await import('./mobilenet')).loadMobileNet(...args) : loadClassification(...args)
}

/** Whether the folder has the file of an engine. */
function hasFor(engine: EngineName, { description, names }: Described): boolean {
  if (description.task === 'faces') return true
  // Graphs of TensorFlow.js do not accept raw pixels.
  const isUint8 = 'type' in description.input && description.input.type === 'uint8'
  return names.has(fileOf(engine)) && (engine === 'onnx' || !isUint8)
}

/** Engines that can run a model, by its task and files, best first. */
export const enginesOf = (folder: Described): readonly EngineName[] =>
  tasks[folder.description.task].engines.filter((engine) => hasFor(engine, folder))

/** Loads a model, see {@link LoadTask}. */
export function loadTask(folder: ModelFolder, engine: EngineName, path: string): Promise<Task> {
  // The compiler cannot relate the task to its description through an index.
  const load = tasks[folder.description.task].load as LoadTask<TaskName>
  return load(folder, engine, path)
}

async function withoutLabels({ description }: ModelFolder): Promise<never> {
  throw new InvalidInputError(
    'model_unfit',
    `The model "${description.id}" is an embedding and has no labels`,
    {
      hint: `Train labels: whisklens teach <folder> --model ${description.id}`,
    },
  )
}
