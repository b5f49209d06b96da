import type { Engine, TensorFlow } from './engine'
import { predictorOn } from './graph'

async function start(): Promise<TensorFlow> {
  const { enableProdMode } = await import('@tensorflow/tfjs-core')
  // Otherwise it logs advice to install another backend.
  enableProdMode()
  await import('@tensorflow/tfjs-backend-cpu')
  return (await import('./tfjs')).startBackend('cpu')
}

/** TensorFlow.js in plain JavaScript: the last resort, without WebAssembly. */
export const cpu: Engine = {
  missing: () => undefined,
  start,
  load: async (model) => predictorOn(await start(), model),
}
