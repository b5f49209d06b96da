import { existsSync, readdirSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import util from 'node:util'
import type { loadGraphModel } from '@tensorflow/tfjs-converter'
import type * as Core from '@tensorflow/tfjs-core'
import { readGraphModel, type StoredModel } from '../../model-folder/graph-model'
import { homeFolder } from '../../paths'
import { MiB } from '../container-memory'
import type { Engine, Graph, TensorFlow } from './engine'
import { setEngineEnvironment } from './environment'
import { loadGraph, predictorOn } from './graph'
import { tfjsNodeFolder } from './tensorflow'

/** The API used of tfjs-node, which has its own copy of TensorFlow.js. */
type TfjsNode = typeof Core & {
  loadGraphModel: typeof loadGraphModel
  node: { loadSavedModel(folder: string): Promise<SavedModel> }
}

interface SavedModel {
  inputs: { name: string }[]
  predict(inputs: Core.NamedTensorMap): Core.NamedTensorMap
  dispose(): void
}

const library = '@tensorflow/tfjs-node'
const backend = 'tensorflow'

/** Path of tfjs-node as resolved from a folder; undefined if it is missing or its addon is not built. */
function findFrom(folder: string): string | undefined {
  const require = createRequire(join(folder, 'package.json'))
  try {
    const path = dirname(require.resolve(`${library}/package.json`))
    const lib = join(path, 'lib')
    return readdirSync(lib).some((name) => existsSync(join(lib, name, 'tfjs_binding.node')))
      ? path
      : undefined
  } catch {
    return undefined
  }
}

const find = (): string | undefined => findFrom(tfjsNodeFolder()) ?? findFrom(homeFolder())

async function start(): Promise<TensorFlow> {
  setEngineEnvironment()
  // tfjs-node calls node:util functions that Node.js 23 removed.
  Object.assign(util, { isNullOrUndefined: (value: unknown) => value == null, isArray: Array.isArray })
  const tf = createRequire(__filename)(find() ?? library) as TfjsNode
  // Copies of TensorFlow.js in one process share their backends.
  const use = () => {
    if (tf.getBackend() !== backend) void tf.setBackend(backend)
  }
  use()
  return {
    tf,
    use,
    loadGraph: async ({ files, path }) => {
      const stored = readGraphModel(files, path)
      const savedModel = files.get('saved_model.pb')
      return savedModel ? loadSession(tf, stored, savedModel) : loadGraph(tf, stored)
    },
  }
}

/** Runs the graph in one session, nearly twice as fast as operation by operation. The weights are inputs of the SavedModel. */
async function loadSession(
  tf: TfjsNode,
  { weightSpecs, weights }: StoredModel,
  savedModel: Uint8Array,
): Promise<Graph> {
  const model = await loadSavedModel(tf, savedModel)
  const inputs = new Set(model.inputs.map(({ name }) => name))
  const fed: Core.NamedTensorMap = {}
  const all = tf.io.decodeWeights(weights.buffer, weightSpecs as Core.io.WeightsManifestEntry[])
  for (const [name, tensor] of Object.entries(all)) {
    if (inputs.delete(name)) fed[name] = tensor
    else tensor.dispose()
  }
  const [image = ''] = inputs
  return {
    predict: (images) => {
      const outputs = Object.values(model.predict({ ...fed, [image]: images }))
      return outputs.length === 1 ? (outputs[0] as Core.Tensor) : outputs
    },
    dispose: () => {
      tf.dispose(fed)
      model.dispose()
    },
  }
}

/** TensorFlow reads models from files only. */
async function loadSavedModel(tf: TfjsNode, bytes: Uint8Array): Promise<SavedModel> {
  const folder = await mkdtemp(join(tmpdir(), 'whisklens-'))
  try {
    await writeFile(join(folder, 'saved_model.pb'), bytes)
    return await tf.node.loadSavedModel(folder)
  } finally {
    await rm(folder, { recursive: true })
  }
}

/** TensorFlow, through the public API of tfjs-node. */
export const tfjsNode: Engine = {
  missing: () => (find() ? undefined : 'Install it: whisklens doctor --install-tfjs-node'),
  leastMemory: 512 * MiB,
  start,
  load: async (model) => predictorOn(await start(), model),
}
