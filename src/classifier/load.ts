import { type GraphModel, loadGraphModel } from '@tensorflow/tfjs-converter'
import * as tf from '@tensorflow/tfjs-core'
import { z } from 'zod'
import { InvalidInputError, messageOf } from '../errors'
import { type ModelFolder, modelFolderPath, parseJson, readModelFolder } from '../models/folder'
import { startEngine } from './engines'
import { stage } from './stage'

/** A model in memory, ready to predict. */
export interface LoadedModel {
  /** Without its files, which would stay in memory beside the engine's copy. */
  folder: Omit<ModelFolder, 'files'>
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
  const { files, ...folder } = await readModelFolder(model)
  await startEngine(engine)
  const path = modelFolderPath(model)
  const source = artifacts(files, path)
  let graph: GraphModel | undefined
  try {
    graph = await loadGraphModel(tf.io.fromMemory(source))
    // The graph keeps what it was made from, but the engine has the weights now.
    source.weightData = undefined
    warmUp(graph, folder)
    return { folder, engine, graph }
  } catch (cause) {
    graph?.dispose()
    throw new InvalidInputError(`The network in ${path} cannot be used: ${messageOf(cause)}`, { cause })
  }
}

/** The first inference compiles and allocates; better done here than on somebody's first image. */
function warmUp(graph: GraphModel, { description, classes }: LoadedModel['folder']): void {
  const { input, labels } = description
  const output = () => graph.predict(tf.zeros([1, input.size, input.size, 3])) as tf.Tensor
  const { length } = tf.tidy(() => output().dataSync())
  if (length !== classes.length) {
    throw new InvalidInputError(`${labels} names ${classes.length} classes, but there are ${length}`)
  }
}

/** What the converter writes; `weights` describes the tensors that the files of `paths` hold one after the other. */
const modelJsonSchema = z.object({
  modelTopology: z.record(z.string(), z.unknown()),
  weightsManifest: z.array(
    z.object({ paths: z.array(z.string()), weights: z.array(z.custom<tf.io.WeightsManifestEntry>()) }),
  ),
})

function artifacts(files: ModelFolder['files'], folder: string): tf.io.ModelArtifacts {
  const { modelTopology, weightsManifest } = parseJson(modelJsonSchema, files, 'model.json', folder)
  const shards = weightsManifest
    .flatMap(({ paths }) => paths)
    .map((path) => {
      const shard = files.get(path)
      if (!shard)
        throw new InvalidInputError(`Expected the weights' file ${path} in the model folder ${folder}`)
      return shard
    })
  const weights = Buffer.concat(shards)
  return {
    modelTopology,
    weightSpecs: weightsManifest.flatMap((group) => group.weights),
    weightData: weights.buffer.slice(weights.byteOffset, weights.byteOffset + weights.byteLength),
  }
}
