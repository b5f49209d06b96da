import * as z from 'zod'
import { InvalidInputError } from '../errors'
import type { SquareInput } from '../models/description'
import { type ModelFolder, parseJson } from '../models/folder'
import { layersToNetwork } from './layers'
import { topologySchema } from './layers/topology'
import { optimizeNetwork } from './network-optimize'
import { checkShapes } from './network-shapes'
import { joined, weightsOf } from './network-weights'

const nodeSchema = z.object({
  name: z.string(),
  op: z.string(),
  input: z.array(z.string()).default([]),
  attr: z.record(z.string(), z.record(z.string(), z.unknown())).default({}),
})

/** One operation of a network. */
export type GraphNode = z.infer<typeof nodeSchema>

const weightSchema = z.object({
  name: z.string(),
  shape: z.array(z.int().nonnegative()),
  dtype: z.enum(['float32', 'int32', 'bool', 'string', 'complex64']),
  /** How the values are stored, to be widened to `dtype`; 8 and 16 bits stand for `min + scale × value`. */
  quantization: z
    .object({
      dtype: z.enum(['float16', 'uint8', 'uint16']),
      scale: z.number().optional(),
      min: z.number().optional(),
    })
    .optional(),
})

/** What one tensor of the weights is. */
export type WeightSpec = z.infer<typeof weightSchema>

/** `weights` describes the tensors that the files of `paths` hold one after the other. */
export const weightsManifest = z.array(
  z.object({ paths: z.array(z.string()), weights: z.array(weightSchema) }),
)

/** What the converter writes of a graph. */
const graphSchema = z.object({
  modelTopology: z.looseObject({ node: z.array(nodeSchema) }),
  signature: z.looseObject({ outputs: z.record(z.string(), z.looseObject({ name: z.string() })) }).optional(),
  weightsManifest,
})
type ModelJson = z.infer<typeof graphSchema>

/** What it writes of Keras' layers. */
const layersSchema = z.object({ modelTopology: topologySchema, weightsManifest })

/** Tensors as files have them. */
export interface Weights {
  weightSpecs: WeightSpec[]
  /** The tensors one after the other. */
  weights: Uint8Array<ArrayBuffer>
}

/** A TensorFlow.js graph model as its files have it, or as one is made of layers. */
export interface Graph extends Weights {
  /** TensorFlow's GraphDef in JSON. */
  topology: ModelJson['modelTopology']
  signature: ModelJson['signature']
}

/** A graph that sees a square: every engine makes of it what it runs. */
export interface Network extends Graph {
  /** Side of the square, pixels. */
  size: number
}

/**
 * The network in the files of a model folder. Layers are made a graph, folded and fused.
 * @param folder where they are from, for errors
 * @throws InvalidInputError when a file is missing or does not hold what it must, or a weight does not fit
 */
export function readNetwork(
  { files, description }: Pick<ModelFolder<DescribedNetwork>, 'files' | 'description'>,
  folder: string,
): Network {
  const { size } = description.input
  if (description.format !== 'layers-model') {
    const graph = readGraph(files, folder)
    // Not every engine names the weight that files which were cut short end in.
    weightsOf(graph)
    return { ...graph, size }
  }
  const { modelTopology, weightsManifest } = parseJson(layersSchema, files, 'model.json', folder)
  return optimizeNetwork(layersToNetwork(modelTopology, readWeights(weightsManifest, files, folder), size))
}

/** As {@link readNetwork}, of a graph that may see images of any size. */
export function readGraph(files: ModelFolder['files'], folder: string): Graph {
  const { modelTopology, signature, weightsManifest } = parseJson(graphSchema, files, 'model.json', folder)
  const graph = { topology: modelTopology, signature, ...readWeights(weightsManifest, files, folder) }
  checkShapes(graph)
  return graph
}

/**
 * The tensors that a manifest names.
 * @throws InvalidInputError when a file is missing
 */
export const readWeights = (
  manifest: z.infer<typeof weightsManifest>,
  files: ModelFolder['files'],
  folder: string,
): Weights => ({
  weightSpecs: manifest.flatMap(({ weights }) => weights),
  weights: joined(manifest.flatMap(({ paths }) => paths).map((path) => shardOf(files, path, folder))),
})

/** What of a description a network is read by. */
interface DescribedNetwork {
  format?: 'graph-model' | 'layers-model'
  input: SquareInput
}

function shardOf(files: ModelFolder['files'], path: string, folder: string): Buffer {
  const shard = files.get(path)
  if (shard) return shard
  throw new InvalidInputError(`Expected the weights' file ${path} in the model folder ${folder}`)
}
