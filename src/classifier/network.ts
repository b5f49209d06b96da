import { z } from 'zod'
import { InvalidInputError } from '../errors'
import { type ModelFolder, parseJson } from '../models/folder'

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

/** What the converter writes; `weights` describes the tensors that the files of `paths` hold one after the other. */
const modelJsonSchema = z.object({
  modelTopology: z.looseObject({ node: z.array(nodeSchema) }),
  signature: z.looseObject({ outputs: z.record(z.string(), z.looseObject({ name: z.string() })) }).optional(),
  weightsManifest: z.array(z.object({ paths: z.array(z.string()), weights: z.array(weightSchema) })),
})
type ModelJson = z.infer<typeof modelJsonSchema>

/** A TensorFlow.js graph model as its files have it: every engine makes of it what it runs. */
export interface Network {
  /** TensorFlow's GraphDef in JSON. */
  topology: ModelJson['modelTopology']
  signature: ModelJson['signature']
  weightSpecs: WeightSpec[]
  /** The tensors one after the other. */
  weights: Uint8Array<ArrayBuffer>
  /** Side of the square it sees, pixels. */
  size: number
}

/**
 * The network in the files of a model folder.
 * @param folder where they are from, for errors
 * @throws InvalidInputError when a file is missing or does not hold what it must
 */
export function readNetwork({ files, description }: ModelFolder, folder: string): Network {
  const { modelTopology, signature, weightsManifest } = parseJson(
    modelJsonSchema,
    files,
    'model.json',
    folder,
  )
  const shards = weightsManifest
    .flatMap(({ paths }) => paths)
    .map((path) => {
      const shard = files.get(path)
      if (!shard)
        throw new InvalidInputError(`Expected the weights' file ${path} in the model folder ${folder}`)
      return shard
    })
  return {
    topology: modelTopology,
    signature,
    weightSpecs: weightsManifest.flatMap((group) => group.weights),
    weights: joined(shards),
    size: description.input.size,
  }
}

/** In a buffer of their own, which engines may take as it is: Node's own concat may cut a piece of a larger one. */
function joined(shards: Uint8Array[]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(shards.reduce((sum, { length }) => sum + length, 0))
  let offset = 0
  for (const shard of shards) {
    bytes.set(shard, offset)
    offset += shard.length
  }
  return bytes
}
