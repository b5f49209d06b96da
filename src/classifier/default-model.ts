import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { boxModelsFolder } from '../model-folder/folder'
import { isUsable } from './engines'
import { choiceOf } from './engines/names'

/** Name of the bundled model that suits the engine. */
export const defaultModel = 'default'

/** On ONNX Runtime int8 is twice as fast; TensorFlow.js does not support it. */
const onnxModel = 'efficientnet-lite0-int8'
const tensorFlowModel = 'efficientnet-lite0'

/** Resolves names such as `auto` to an engine. */
export const engineFor = (engine: string): string => choiceOf(engine)?.find(isUsable) ?? engine

/** Resolves {@link defaultModel} to a model name. @param engine may be a name such as `auto` */
export function modelFor(model: string, engine: string): string {
  if (model !== defaultModel) return model
  const isThere = (name: string) => existsSync(join(boxModelsFolder(), name))
  return engineFor(engine) === 'onnx' && (isThere(onnxModel) || !isThere(tensorFlowModel))
    ? onnxModel
    : tensorFlowModel
}
