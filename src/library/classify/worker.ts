import { classifyImage } from '../../classifier/classify'
import { type LoadedModel, loadModel } from '../../classifier/load'
import { messageOf, WhisklensError } from '../../errors'
import { readImage } from '../sources/read-image'
import { type Classified, type ClassifyAnswer, type ClassifyTask, problemOf } from './task'

/** Entry point of a worker thread, which loads its own model. Never throws. */
export default (tasks: ClassifyTask[]): Promise<ClassifyAnswer[]> => Promise.all(tasks.map(classify))

async function classify(task: ClassifyTask): Promise<ClassifyAnswer> {
  let loaded: LoadedModel
  try {
    loaded = await loadModel(task.model, task.engine)
  } catch (thrown) {
    const { code = 'internal', hint } = thrown instanceof WhisklensError ? thrown : {}
    return { fatal: { code, message: messageOf(thrown), hint } }
  }
  try {
    return { classified: await classifyWith(loaded, task) }
  } catch (thrown) {
    return { error: problemOf(thrown) }
  }
}

/**
 * Reads and classifies one image.
 * @throws WhisklensError if it cannot be read
 * @throws ImageError if it cannot be decoded
 */
export async function classifyWith(
  loaded: LoadedModel,
  { image, top, exif }: Omit<ClassifyTask, 'model' | 'engine'>,
): Promise<Classified> {
  const bytes = typeof image === 'string' ? await readImage(image) : image
  const classification = await classifyImage(loaded, bytes, top, { withPosition: exif === 'position' })
  return { ...classification, model: loaded.folder.version, engine: loaded.engine }
}
