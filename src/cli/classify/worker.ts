import { classifyImage } from '../../classifier/classify'
import { type LoadedModel, loadModel } from '../../classifier/load'
import { messageOf, WhisklensError } from '../../errors'
import { readImage } from './read-image'
import { type ClassifyAnswer, type ClassifyTask, problemOf } from './task'

/** Runs in each worker thread of `whisklens classify`, with a model of its own. Never throws. */
export default (tasks: ClassifyTask[]): Promise<ClassifyAnswer[]> => Promise.all(tasks.map(classify))

async function classify({ image, model, engine, top, exif }: ClassifyTask): Promise<ClassifyAnswer> {
  let loaded: LoadedModel
  try {
    loaded = await loadModel(model, engine)
  } catch (thrown) {
    const { code = 'internal', hint } = thrown instanceof WhisklensError ? thrown : {}
    return { fatal: { code, message: messageOf(thrown), hint } }
  }
  try {
    const bytes = typeof image === 'string' ? await readImage(image) : image
    const classification = await classifyImage(loaded, bytes, top, { withPosition: exif === 'position' })
    return { classified: { ...classification, model: loaded.folder.version, engine: loaded.engine } }
  } catch (thrown) {
    return { error: problemOf(thrown) }
  }
}
