import { type GraphModel, loadGraphModel } from '@tensorflow/tfjs-converter'
import * as tf from '@tensorflow/tfjs-core'
import { InvalidInputError } from '../errors'
import { type ModelFolder, readModelFolder } from '../models/folder'
import { startEngine } from './engines'
import { stage } from './stage'

/** A model in memory, ready to predict. */
export interface LoadedModel {
  folder: ModelFolder
  engine: string
  graph: GraphModel
}

/** A warm container keeps its models; the promise is cached so that racing calls load once. */
const cache = new Map<string, Promise<LoadedModel>>()

/**
 * The model of that name on that engine, loaded on first use and cached for the life of the process.
 * @param model a folder's name in `models/`, or a path
 * @throws InvalidInputError when the folder or engine does not exist or is not valid
 */
export function loadModel(model: string, engine: string): Promise<LoadedModel> {
  const key = `${engine} ${model}`
  const cached = cache.get(key)
  if (cached) return cached
  const loading = stage('loadModel', () => load(model, engine), { model, engine })
  cache.set(key, loading)
  // A failed load must not poison the container: the next call tries again.
  loading.catch(() => cache.delete(key))
  return loading
}

async function load(model: string, engine: string): Promise<LoadedModel> {
  const folder = await readModelFolder(model)
  await startEngine(engine)
  const graph = await loadGraphModel(tf.io.fromMemory(artifacts(folder)))
  warmUp(graph, folder.description.input.size)
  return { folder, engine, graph }
}

/** The first inference compiles and allocates; better done here than on somebody's first image. */
function warmUp(graph: GraphModel, size: number): void {
  tf.tidy(() => (graph.predict(tf.zeros([1, size, size, 3])) as tf.Tensor).dataSync())
}

interface ModelJson {
  modelTopology: object
  weightsManifest: { paths: string[]; weights: tf.io.WeightsManifestEntry[] }[]
}

function artifacts({ files, description }: ModelFolder): tf.io.ModelArtifacts {
  const json = JSON.parse(String(files.get('model.json') ?? 'null')) as ModelJson | null
  if (!json?.modelTopology) throw new InvalidInputError(`The model ${description.id} has no valid model.json`)
  const shards = json.weightsManifest
    .flatMap((group) => group.paths)
    .map((path) => {
      const shard = files.get(path)
      if (!shard) throw new InvalidInputError(`The model ${description.id} lacks its weight shard ${path}`)
      return shard
    })
  const weights = Buffer.concat(shards)
  return {
    modelTopology: json.modelTopology,
    weightSpecs: json.weightsManifest.flatMap((group) => group.weights),
    weightData: weights.buffer.slice(weights.byteOffset, weights.byteOffset + weights.byteLength),
  }
}
