import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { homeFolder } from '../../paths'
import type { Engine, TensorFlow } from './engine'
import { predictorOn } from './graph'

/** Folder of the `.wasm` binaries: beside `models/` in a zip or image, else in the build. */
function wasmFolder(): string {
  const bundled = join(homeFolder(), 'wasm')
  return existsSync(bundled) ? bundled : join(homeFolder(), 'dist', 'wasm')
}

/**
 * Removes the handlers that Emscripten adds on start: they rethrow each uncaught error of the process from minified
 * code, with exit code 7.
 */
async function withoutHandlers<T>(begin: () => Promise<T>): Promise<T> {
  const events = ['uncaughtException', 'unhandledRejection']
  const before = new Set(events.flatMap((name) => process.listeners(name as NodeJS.Signals)))
  const isAdded = (listener: NodeJS.SignalsListener): boolean =>
    !before.has(listener) && String(listener).includes('throw ')
  try {
    return await begin()
  } finally {
    for (const name of events)
      for (const listener of process.listeners(name as NodeJS.Signals).filter(isAdded))
        process.off(name, listener)
  }
}

async function start(): Promise<TensorFlow> {
  const { env } = await import('@tensorflow/tfjs-core')
  const { setWasmPaths } = await import('@tensorflow/tfjs-backend-wasm')
  const { startBackend } = await import('./tfjs')
  setWasmPaths(`${wasmFolder()}/`)
  // Otherwise the backend warns at each start that SIMD builds are for browsers.
  env().set('IS_NODE', true)
  return withoutHandlers(() => startBackend('wasm'))
}

/** TensorFlow.js on WebAssembly with SIMD: portable, without native code. */
export const wasm: Engine = {
  missing: () => undefined,
  start,
  load: async (model) => predictorOn(await start(), model),
}
