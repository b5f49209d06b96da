import type { LoadedModel } from '../load'
import { inference } from './open'

/** As `loadUntried` of load.ts, with the model in the program for inference. */
export async function loadModelApart(model: string, engine: string): Promise<LoadedModel> {
  const { input, ...loaded } = await inference.load(model, engine)
  return {
    ...loaded,
    task: {
      input,
      warmUp: () => inference.warmUp(model, engine),
      look: (...image) => inference.look(model, engine, ...image),
      memory: () => inference.memory(model, engine),
    },
  }
}
