import type { Engine } from './engine'

async function start(): Promise<void> {
  const { enableProdMode } = await import('@tensorflow/tfjs-core')
  // Or it greets everybody with the advice to install another backend.
  enableProdMode()
  await import('@tensorflow/tfjs-backend-cpu')
  await (await import('./tfjs')).startBackend('cpu')
}

/** TensorFlow.js in JavaScript alone: the last resort, where WebAssembly is not to be had. */
export const cpu: Engine = {
  missing: () => undefined,
  start,
  load: async (network) => {
    await start()
    return (await import('./tfjs')).loadOnBackend('cpu', network)
  },
}
