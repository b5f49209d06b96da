// The predecessor of this project: jpeg-js, and MobileNetV1 1.0 as a layers model, run operation by operation. Random weights, which
// take the same time. Arguments: backend, folder of its packages, files of images.
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import util from 'node:util'
import type * as Core from '@tensorflow/tfjs-core'
import jpeg from 'jpeg-js'
import type { Layers } from './layers'
import { mobileNet } from './mobilenet'
import { classifying, serve } from './serve'

const [backend = '', folder = '', ...files] = process.argv.slice(2)
const images = files.map((file) => readFileSync(file))
const require = createRequire(join(folder, 'package.json'))

async function openWasm(): Promise<[typeof Core, Layers]> {
  const tf = require('@tensorflow/tfjs-core') as typeof Core
  const { setWasmPaths } = require('@tensorflow/tfjs-backend-wasm')
  tf.env().set('IS_NODE', true)
  setWasmPaths(`${dirname(require.resolve('@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm.wasm'))}/`)
  await tf.setBackend('wasm')
  return [tf, require('@tensorflow/tfjs-layers')]
}

function openNode(): [typeof Core, Layers] {
  process.env.TF_NUM_INTRAOP_THREADS = '1'
  process.env.TF_NUM_INTEROP_THREADS = '1'
  process.env.TF_CPP_MIN_LOG_LEVEL = '2'
  // tfjs-node needs functions that Node.js 23 removed.
  Object.assign(util, { isNullOrUndefined: (value: unknown) => value == null, isArray: Array.isArray })
  require('@tensorflow/tfjs-node')
  return [require('@tensorflow/tfjs-core'), require('@tensorflow/tfjs-layers')]
}

async function main(): Promise<void> {
  const [tf, layers] = backend === 'wasm' ? await openWasm() : openNode()
  const model = mobileNet(tf, layers)
  const classify = async (image: Buffer) => {
    const { width, height, data } = jpeg.decode(image, { useTArray: true })
    const values = new Int32Array(width * height * 3)
    for (let pixel = 0; pixel < width * height; pixel++)
      for (let channel = 0; channel < 3; channel++)
        values[pixel * 3 + channel] = data[pixel * 4 + channel] as number
    const probabilities = tf.tidy(() => {
      const pixels = tf.cast(tf.tensor3d(values, [height, width, 3], 'int32'), 'float32')
      const scaled = tf.sub(tf.div(pixels, 127.5), 1) as Core.Tensor3D
      const resized = tf.image.resizeBilinear(scaled, [224, 224], true)
      return model.predict(tf.expandDims(resized)) as Core.Tensor
    })
    const found = await probabilities.data()
    probabilities.dispose()
    return found.indexOf(Math.max(...found))
  }
  await classify(images[0] as Buffer)
  serve(classifying(classify, images, 1))
}

void main()
