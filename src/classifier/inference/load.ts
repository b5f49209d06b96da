import type { LoadedModel } from '../load'
import { openInference } from './open'

/**
 * As `loadModel` of load.ts, with the model in the program for inference.
 * @param tried whether it is to be tried out first; an image that waits does that itself
 */
export async function loadModelApart(model: string, engine: string, tried: boolean): Promise<LoadedModel> {
  const { load, look, memory } = openInference()
  const { input, ...loaded } = await load(model, engine, tried)
  return {
    ...loaded,
    task: {
      input,
      tryOut: async () => void (await load(model, engine, true)),
      look: (...image) => look(model, engine, ...image),
      memory: () => memory(model, engine),
      // It is kept as long as the program is.
      dispose: () => {},
    },
  }
}
