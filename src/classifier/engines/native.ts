import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { readGraphModel } from '../../model-folder/graph-model'
// biome-ignore-start lint/style/noRestrictedImports: it writes a SavedModel, until it runs graphs by tfjs-node's public API
import { inputOf, outputsOf } from '../../network/graph'
import { readGraph } from '../../network/read-graph'
import { graphTag, toSavedModel } from '../../network/saved-model'
import { homeFolder } from '../../paths'
// biome-ignore-end lint/style/noRestrictedImports: see above
import type { Engine } from './engine'
import { nativeFolder, setTensorFlowEnvironment } from './tensorflow'

/** What tfjs-node's addon offers of TensorFlow's C API; tensors and models are numbers. */
interface Binding {
  TF_FLOAT: number
  createTensor(shape: number[], type: number, values: Float32Array): number
  tensorDataSync(tensor: number): Float32Array
  deleteTensor(tensor: number): void
  getNumOfTensors(): number
  /** @param tags separated by commas, as all lists of names */
  loadSavedModel(folder: string, tags: string): number
  runSavedModel(model: number, inputs: number[], inputNames: string, outputNames: string): { id: number }[]
  deleteSavedModel(model: number): void
}

const library = '@tensorflow/tfjs-node'

/** The addon in a tfjs-node that is found from a folder; undefined when there is none, or its binary is missing. */
function addonFrom(folder: string): string | undefined {
  const require = createRequire(join(folder, 'package.json'))
  try {
    const lib = join(dirname(require.resolve(`${library}/package.json`)), 'lib')
    const paths = readdirSync(lib).map((name) => join(lib, name, 'tfjs_binding.node'))
    return paths.find(existsSync)
  } catch {
    return undefined
  }
}

const findAddon = (): string | undefined => addonFrom(nativeFolder()) ?? addonFrom(homeFolder())

/**
 * TensorFlow itself, by tfjs-node's addon: the network runs as one session, which is four times as fast as operation
 * by operation, and the JavaScript of tfjs-node stays out of memory.
 */
export const native: Engine = {
  missing: () => (findAddon() ? undefined : 'Install it: whisklens doctor --install-native'),
  load: async ({ files, path, input: { size: side } }) => {
    const network = readGraph(readGraphModel(files, path), side, path)
    setTensorFlowEnvironment()
    const binding = createRequire(__filename)(findAddon() ?? '') as Binding
    const model = loadSavedModel(binding, toSavedModel(network))
    const [input, outputs] = [inputOf(network).name, outputsOf(network).join(',')]
    const { size } = network
    return {
      predict: async (images) => {
        const shape = [images.length / (size * size * 3), size, size, 3]
        const tensors = [binding.createTensor(shape, binding.TF_FLOAT, images as Float32Array)]
        try {
          tensors.push(...binding.runSavedModel(model, tensors, input, outputs).map(({ id }) => id))
          return tensors.slice(1).map((tensor) => binding.tensorDataSync(tensor))
        } finally {
          for (const tensor of tensors) binding.deleteTensor(tensor)
        }
      },
      memory: () => ({ numTensors: binding.getNumOfTensors() }),
      dispose: () => binding.deleteSavedModel(model),
    }
  },
}

/** TensorFlow reads models from files only. */
function loadSavedModel(binding: Binding, model: Uint8Array): number {
  const folder = mkdtempSync(join(tmpdir(), 'whisklens-'))
  try {
    writeFileSync(join(folder, 'saved_model.pb'), model)
    return binding.loadSavedModel(folder, graphTag)
  } finally {
    rmSync(folder, { recursive: true })
  }
}
