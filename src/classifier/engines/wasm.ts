import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { setWasmPaths } from '@tensorflow/tfjs-backend-wasm'
import * as tf from '@tensorflow/tfjs-core'
import { homeFolder } from '../../paths'

/** The folder with the `.wasm` binaries: `wasm/` beside `models/` where a bundle was unpacked, else the npm package. */
function wasmFolder(): string {
  const bundled = join(homeFolder(), 'wasm')
  if (existsSync(bundled)) return bundled
  const resolve = createRequire(join(homeFolder(), 'package.json')).resolve
  return dirname(resolve('@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm.wasm'))
}

/** TensorFlow.js on WebAssembly with SIMD: needs nothing native and runs anywhere Node does. */
export async function startWasm(): Promise<void> {
  setWasmPaths(`${wasmFolder()}/`)
  // The backend warns on every start that SIMD builds are for the browser; it is not news to the user.
  tf.env().set('IS_NODE', true)
  await tf.setBackend('wasm')
  await tf.ready()
}
