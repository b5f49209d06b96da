import * as z from 'zod'
import { InvalidInputError } from '../errors'
import { type Files, parseJson } from './folder'

/*
 * `model.json` and its weight files, as written by TensorFlow.js.
 */

const weightSchema = z.object({
  name: z.string(),
  shape: z.array(z.int().nonnegative()),
  dtype: z.enum(['float32', 'int32', 'bool', 'string', 'complex64']),
  /** The stored type, widened to `dtype` when read; 8 and 16 bits mean `min + scale × value`. */
  quantization: z
    .object({
      dtype: z.enum(['float16', 'uint8', 'uint16']),
      scale: z.number().optional(),
      min: z.number().optional(),
    })
    .optional(),
})

/** Describes a tensor of the weights. */
export type WeightSpec = z.infer<typeof weightSchema>

/** `weights` describes the tensors stored consecutively in the files of `paths`. */
export const weightsManifest = z.array(
  z.object({
    // File names only: a path could lead anywhere.
    paths: z.array(z.string().regex(/^[\w-][\w.-]*$/, 'expected the name of a file in the same folder')),
    weights: z.array(weightSchema),
  }),
)

/** Fields common to graph and layers models. */
export const modelJsonSchema = z.object({
  modelTopology: z.looseObject({ node: z.array(z.unknown()).optional() }),
  signature: z.looseObject({}).optional(),
  weightsManifest,
})

/** Tensors as stored. */
export interface Weights {
  weightSpecs: WeightSpec[]
  /** The tensors' bytes, consecutively. */
  weights: Uint8Array<ArrayBuffer>
}

/** A stored graph, whose topology has nodes, or Keras layers. */
export interface StoredModel extends Weights {
  topology: z.infer<typeof modelJsonSchema>['modelTopology']
  signature: z.infer<typeof modelJsonSchema>['signature']
}

/**
 * Reads `model.json` and its weights.
 * @param folder of the files, for errors
 * @throws InvalidInputError when a file is missing, truncated or not valid
 */
export function readStoredModel(files: Files, folder: string): StoredModel {
  const { modelTopology, signature, weightsManifest } = parseJson(
    modelJsonSchema,
    files,
    'model.json',
    folder,
  )
  return { topology: modelTopology, signature, ...readWeights(weightsManifest, files, folder) }
}

/** Like {@link readStoredModel}, but only accepts a graph, which is what engines run. */
export function readGraphModel(files: Files, folder: string): StoredModel {
  const model = readStoredModel(files, folder)
  if (model.topology.node) return model
  throw new InvalidInputError(
    'model_unfit',
    `The network in ${folder} is a layers model, which no engine runs`,
    {
      hint: `Add it to compile it: whisklens model add ${folder}`,
    },
  )
}

/**
 * Reads the tensors of a weights manifest.
 * @throws InvalidInputError when a file is missing or truncated
 */
export function readWeights(
  manifest: z.infer<typeof weightsManifest>,
  files: Files,
  folder: string,
): Weights {
  const weightSpecs = manifest.flatMap(({ weights }) => weights)
  const weights = joined(manifest.flatMap(({ paths }) => paths).map((path) => shardOf(files, path, folder)))
  // Engines would treat missing bytes as zeros, or fail without details.
  tensorsOf({ weightSpecs, weights })
  return { weightSpecs, weights }
}

function shardOf(files: Files, path: string, folder: string): Uint8Array {
  const shard = files.get(path)
  if (shard) return shard
  throw new InvalidInputError('bad_model', `Expected the weights file ${path} in the model folder ${folder}`)
}

const bytesPerValue: Record<string, number> = {
  float32: 4,
  int32: 4,
  float16: 2,
  uint16: 2,
  uint8: 1,
  bool: 1,
}

/**
 * Splits the bytes by tensor, in the order of the specs. Returns views.
 * @throws InvalidInputError when there are too few or too many bytes, or a tensor is not numeric
 */
export function tensorsOf({ weightSpecs, weights }: Weights): Uint8Array[] {
  let offset = 0
  const tensors = weightSpecs.map(({ name, shape, dtype, quantization }) => {
    const stored = quantization?.dtype ?? dtype
    const size = bytesPerValue[stored]
    if (size === undefined)
      throw new InvalidInputError('bad_model', `The weight ${name} has an unknown type: ${stored}`)
    const end = offset + shape.reduce((product, length) => product * length, size)
    if (end > weights.length) throw new InvalidInputError('bad_model', `The weights end within ${name}`)
    const bytes = weights.subarray(offset, end)
    offset = end
    return bytes
  })
  const left = weights.length - offset
  if (left > 0)
    throw new InvalidInputError('bad_model', `The weights have ${left} bytes after the last tensor`)
  return tensors
}

/**
 * Concatenates into a buffer of its own, which engines may use directly: Node's concat may return a slice of a pool.
 */
export function joined(pieces: Uint8Array[]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(pieces.reduce((sum, { length }) => sum + length, 0))
  let offset = 0
  for (const piece of pieces) {
    bytes.set(piece, offset)
    offset += piece.length
  }
  return bytes
}
