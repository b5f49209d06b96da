import type { Engine } from './engine'

/** TensorFlow.js in JavaScript alone: the last resort, where WebAssembly is not to be had. */
export const cpu: Engine = {
  missing: () => undefined,
  load: async (network) => {
    const { enableProdMode } = await import('@tensorflow/tfjs-core')
    // Or it greets everybody with the advice to install another backend.
    enableProdMode()
    await import('@tensorflow/tfjs-backend-cpu')
    const { loadOnBackend } = await import('./tfjs')
    return loadOnBackend('cpu', network)
  },
}
