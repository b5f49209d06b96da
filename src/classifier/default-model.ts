import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { boxModelsFolder } from '../model-folder/folder'
import { isFit } from './engines'
import { choiceOf } from './engines/names'

/** Stands for the model in the box that suits the engine. */
export const defaultModel = 'default'

/** ONNX Runtime is twice as fast in int8; TensorFlow.js has no int8. */
const ofOnnx = 'efficientnet-lite0-int8'
const ofOthers = 'efficientnet-lite0'

/**
 * The name of a model, where it may be {@link defaultModel}.
 * @param engine its name, or one that stands for the best of several
 */
export function modelFor(model: string, engine: string): string {
  if (model !== defaultModel) return model
  const choice = choiceOf(engine)
  const best = choice ? choice.find(isFit) : engine
  const isThere = (name: string) => existsSync(join(boxModelsFolder(), name))
  return best === 'onnx' && (isThere(ofOnnx) || !isThere(ofOthers)) ? ofOnnx : ofOthers
}
