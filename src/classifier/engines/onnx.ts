import { createRequire } from 'node:module'
import { join } from 'node:path'
import type { InferenceSession } from 'onnxruntime-common'
import { homeFolder } from '../../paths'
import type { Engine } from './engine'
import { toOnnx } from './onnx-network'

type OnnxRuntime = typeof import('onnxruntime-common')

const library = 'onnxruntime-node'

/** From where it is installed, or beside the models in a runtime image: no bundle has it inside. */
const require = createRequire(join(homeFolder(), 'package.json'))

const options: InferenceSession.SessionOptions = {
  // Parallel work is done by more processes, which share nothing.
  intraOpNumThreads: 1,
  interOpNumThreads: 1,
}

/** ONNX Runtime, on the network written out as ONNX in memory. */
export const onnx: Engine = {
  missing: () => {
    try {
      require.resolve(library)
      return undefined
    } catch {
      return `Install it: npm install ${library}@1.30.0`
    }
  },
  load: async (network) => {
    const { InferenceSession, Tensor } = require(library) as OnnxRuntime
    const session = await InferenceSession.create(toOnnx(network), options)
    const { size } = network
    const [input = ''] = session.inputNames
    return {
      predict: async (images) => {
        const shape = [images.length / (size * size * 3), size, size, 3]
        const outputs = await session.run({ [input]: new Tensor('float32', images, shape) })
        return session.outputNames.map((name) => outputs[name]?.data as Float32Array)
      },
      memory: () => process.memoryUsage(),
      dispose: () => void session.release(),
    }
  },
}
