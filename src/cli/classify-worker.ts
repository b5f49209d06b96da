import { open } from 'node:fs/promises'
import { classifyImage } from '../classifier/classify'
import { type LoadedModel, loadModel } from '../classifier/load'
import { ImageError, messageOf, WhisklensError } from '../errors'
import { type ClassifyAnswer, type ClassifyTask, maxImageBytes, problemOf } from './classify-task'
import { asFileError } from './walk'

/** Runs in each worker thread of `whisklens classify`, with a model of its own. Never throws. */
export default async function classify({ image, model, engine, top }: ClassifyTask): Promise<ClassifyAnswer> {
  let loaded: LoadedModel
  try {
    loaded = await loadModel(model, engine)
  } catch (thrown) {
    const { code, hint } = thrown instanceof WhisklensError ? thrown : { code: 'internal' }
    return { fatal: { code, message: messageOf(thrown), hint } }
  }
  try {
    const bytes = typeof image === 'string' ? await readImage(image) : image
    const classification = await classifyImage(loaded, bytes, top)
    return { classified: { ...classification, model: loaded.folder.version, engine: loaded.engine } }
  } catch (thrown) {
    return { error: problemOf(thrown) }
  }
}

async function readImage(path: string): Promise<Buffer> {
  const failed = (thrown: unknown): never => {
    throw asFileError(thrown, path)
  }
  const file = await open(path).catch(failed)
  try {
    const { size } = await file.stat()
    if (size > maxImageBytes) {
      throw new ImageError(
        'image_too_large',
        `The file has ${size} bytes, more than the ${maxImageBytes} that are read`,
      )
    }
    return await file.readFile().catch(failed)
  } finally {
    await file.close()
  }
}
