import { createRequire } from 'node:module'
import { join } from 'node:path'
import type { InferenceSession } from 'onnxruntime-common'
import { InvalidInputError, messageOf } from '../../errors'
import { log } from '../../log'
import { homeFolder } from '../../paths'
import type { NetworkInput } from '../network-input'
import type { Engine, ModelFiles } from './engine'
import { setEngineEnvironment } from './environment'

type OnnxRuntime = typeof import('onnxruntime-common')

const library = 'onnxruntime-node'

/** Resolved from the installation, or beside the models in a runtime image: not bundled. */
const require = createRequire(join(homeFolder(), 'package.json'))

const options: InferenceSession.SessionOptions = {
  // Parallelism comes from processes, which share nothing.
  intraOpNumThreads: 1,
  interOpNumThreads: 1,
}

/** `[n, rows, columns, 3]` → `[n, 3, rows, columns]` */
function channelsFirst(images: NetworkInput, size: number): NetworkInput {
  const planes = new (images instanceof Float32Array ? Float32Array : Uint8Array)(images.length)
  const plane = size * size
  for (let image = 0; image < images.length; image += 3 * plane) {
    for (let pixel = 0; pixel < plane; pixel++) {
      for (let channel = 0; channel < 3; channel++)
        planes[image + channel * plane + pixel] = images[image + 3 * pixel + channel] as number
    }
  }
  return planes
}

/** Converts images to the network's input tensor, as described in `whisklens.json`. */
function tensorOf(
  { Tensor }: OnnxRuntime,
  images: NetworkInput,
  { size, layout, type }: ModelFiles['input'],
) {
  const count = images.length / (size * size * 3)
  const values = layout === 'nchw' ? channelsFirst(images, size) : images
  const shape = layout === 'nchw' ? [count, 3, size, size] : [count, size, size, 3]
  return type === 'uint8'
    ? new Tensor('uint8', values as Uint8Array, shape)
    : new Tensor('float32', values as Float32Array, shape)
}

function runtimeOf(): OnnxRuntime {
  setEngineEnvironment()
  return require(library)
}

let hasWarned = false

/** Logs once why a slower engine is used. */
function notLoaded(reason: string): string {
  if (!hasWarned) log.warn({ engine: 'onnx', reason }, 'engine not used')
  hasWarned = true
  return `It is installed, but could not be loaded: ${reason}`
}

/** ONNX Runtime, on `model.onnx`. */
export const onnx: Engine = {
  missing: () => {
    try {
      // npm also installs it on platforms without a binary.
      runtimeOf()
      return undefined
    } catch (thrown) {
      if ((thrown as NodeJS.ErrnoException).code === 'MODULE_NOT_FOUND')
        return `Install it, without its script, which fetches CUDA: npm install --ignore-scripts ${library}@1.30.0`
      return notLoaded(messageOf(thrown))
    }
  },
  load: async ({ files, path, input }) => {
    const model = files.get('model.onnx')
    if (!model) throw new InvalidInputError('model_unfit', `The model folder ${path} has no model.onnx`)
    const runtime = runtimeOf()
    const session = await runtime.InferenceSession.create(model, options)
    const [name = ''] = session.inputNames
    return {
      predict: async (images) => {
        const outputs = await session.run({ [name]: tensorOf(runtime, images, input) })
        return session.outputNames.map((name) => outputs[name]?.data as Float32Array)
      },
      memory: () => process.memoryUsage(),
      dispose: () => void session.release(),
    }
  },
}
