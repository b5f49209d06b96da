import * as z from 'zod'
import { InvalidInputError } from '../errors'
import { type Files, parseJson } from './folder'

/*
 * `model.json` and the files of weights beside it, as TensorFlow.js writes them.
 */

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
  z.object({
    // Files beside it: a path could lead anywhere.
    paths: z.array(z.string().regex(/^[\w-][\w.-]*$/, 'expected the name of a file in the same folder')),
    weights: z.array(weightSchema),
  }),
)

/** What of `model.json` is the same for graphs and layers. */
export const modelJsonSchema = z.object({
  modelTopology: z.looseObject({ node: z.array(z.unknown()).optional() }),
  signature: z.looseObject({}).optional(),
  weightsManifest,
})

/** Tensors as files have them. */
export interface Weights {
  weightSpecs: WeightSpec[]
  /** The tensors one after the other. */
  weights: Uint8Array<ArrayBuffer>
}

/** What the files hold: a graph, whose topology has nodes, or layers of Keras. */
export interface StoredModel extends Weights {
  topology: z.infer<typeof modelJsonSchema>['modelTopology']
  signature: z.infer<typeof modelJsonSchema>['signature']
}

/**
 * Reads `model.json` and its weights.
 * @param folder where the files are from, for errors
 * @throws InvalidInputError when a file is missing, cut short, or does not hold what it must
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

/** As {@link readStoredModel}, of a graph, which is what engines run. */
export function readGraphModel(files: Files, folder: string): StoredModel {
  const model = readStoredModel(files, folder)
  if (model.topology.node) return model
  throw new InvalidInputError(
    'model_unfit',
    `The network in ${folder} is a layers model, which no engine runs`,
    {
      hint: `Add it, which compiles it: whisklens model add ${folder}`,
    },
  )
}

/**
 * The tensors that a manifest names.
 * @throws InvalidInputError when a file is missing or cut short
 */
export function readWeights(
  manifest: z.infer<typeof weightsManifest>,
  files: Files,
  folder: string,
): Weights {
  const weightSpecs = manifest.flatMap(({ weights }) => weights)
  const weights = joined(manifest.flatMap(({ paths }) => paths).map((path) => shardOf(files, path, folder)))
  // Engines would take what is missing for zeros, or fail without saying where.
  tensorsOf({ weightSpecs, weights })
  return { weightSpecs, weights }
}

function shardOf(files: Files, path: string, folder: string): Uint8Array {
  const shard = files.get(path)
  if (shard) return shard
  throw new InvalidInputError('bad_model', `Expected the weights' file ${path} in the model folder ${folder}`)
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
 * The bytes of each tensor, in the order of the specs: views, not copies.
 * @throws InvalidInputError when there are too few bytes or too many, or a tensor does not hold numbers
 */
export function tensorsOf({ weightSpecs, weights }: Weights): Uint8Array[] {
  let offset = 0
  const tensors = weightSpecs.map(({ name, shape, dtype, quantization }) => {
    const stored = quantization?.dtype ?? dtype
    const size = bytesPerValue[stored]
    if (size === undefined)
      throw new InvalidInputError('bad_model', `The weight ${name} is of an unknown type: ${stored}`)
    const end = offset + shape.reduce((product, length) => product * length, size)
    if (end > weights.length) throw new InvalidInputError('bad_model', `The weights end within ${name}`)
    const bytes = weights.subarray(offset, end)
    offset = end
    return bytes
  })
  const left = weights.length - offset
  if (left > 0)
    throw new InvalidInputError('bad_model', `The weights go on for ${left} bytes after their last tensor`)
  return tensors
}

/** In a buffer of their own, which engines may take as it is: Node's own concat may cut a piece of a larger one. */
export function joined(pieces: Uint8Array[]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(pieces.reduce((sum, { length }) => sum + length, 0))
  let offset = 0
  for (const piece of pieces) {
    bytes.set(piece, offset)
    offset += piece.length
  }
  return bytes
}
