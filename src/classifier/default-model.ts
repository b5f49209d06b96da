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

/** The engine that is used, where a name stands for the best of several. */
export const engineFor = (engine: string): string => choiceOf(engine)?.find(isFit) ?? engine

/** The name of a model, where it may be {@link defaultModel}. @param engine may stand for the best of several */
export function modelFor(model: string, engine: string): string {
  if (model !== defaultModel) return model
  const isThere = (name: string) => existsSync(join(boxModelsFolder(), name))
  return engineFor(engine) === 'onnx' && (isThere(ofOnnx) || !isThere(ofOthers)) ? ofOnnx : ofOthers
}
