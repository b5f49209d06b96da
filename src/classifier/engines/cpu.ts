import type { Engine, TensorFlow } from './engine'
import { predictorOn } from './graph'

async function start(): Promise<TensorFlow> {
  const { enableProdMode } = await import('@tensorflow/tfjs-core')
  // Or it logs the advice to install another backend.
  enableProdMode()
  await import('@tensorflow/tfjs-backend-cpu')
  return (await import('./tfjs')).startBackend('cpu')
}

/** TensorFlow.js in JavaScript alone: the last resort, where WebAssembly is not to be had. */
export const cpu: Engine = {
  missing: () => undefined,
  start,
  load: async (model) => predictorOn(await start(), model),
}
