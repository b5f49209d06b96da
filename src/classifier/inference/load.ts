import type { LoadedModel } from '../load'
import { inference } from './open'

/** As `loadWithoutWarmUp` of load.ts, with the model in the inference program. */
export async function loadIsolated(model: string, engine: string): Promise<LoadedModel> {
  const { input, ...loaded } = await inference.load(model, engine)
  return {
    ...loaded,
    task: {
      input,
      warmUp: () => inference.warmUp(model, engine),
      predict: (...image) => inference.predict(model, engine, ...image),
      memory: () => inference.memory(model, engine),
    },
  }
}
