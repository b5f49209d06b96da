import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import * as z from 'zod'
import { InvalidInputError, messageOf } from '../errors'
import { modelJsonSchema } from '../model-folder/graph-model'
import { sha256Of } from '../sha256'

/** A TensorFlow.js network as files: `model.json`, and its weights in the order it names them. */
export interface NetworkFiles {
  format: 'graph-model' | 'layers-model'
  files: Map<string, Buffer>
}

/**
 * Collects the files of a network.
 * @param read returns a file by name
 * @throws InvalidInputError when `model.json` is not valid; errors of `read`
 */
export async function collectNetwork(read: (name: string) => Promise<Buffer>): Promise<NetworkFiles> {
  const model = await read('model.json')
  const { modelTopology, weightsManifest } = parse(model)
  const files = new Map([['model.json', model]])
  for (const path of weightsManifest.flatMap(({ paths }) => paths)) files.set(path, await read(path))
  return { format: modelTopology.node ? 'graph-model' : 'layers-model', files }
}

function parse(model: Buffer): z.infer<typeof modelJsonSchema> {
  let json: unknown
  try {
    json = JSON.parse(model.toString())
  } catch (cause) {
    throw new InvalidInputError('bad_model', `model.json is not JSON: ${messageOf(cause)}`, { cause })
  }
  const parsed = modelJsonSchema.safeParse(json)
  if (parsed.success) return parsed.data
  throw new InvalidInputError(
    'bad_model',
    `model.json is not a TensorFlow.js network: ${z.prettifyError(parsed.error)}`,
  )
}

/** Reads the files of a folder. @throws InvalidInputError naming a missing file */
export const readerOf = (folder: string) => (name: string) =>
  readFile(join(folder, name)).catch((cause) => {
    throw new InvalidInputError('bad_model', `Expected a file ${name} in ${folder}`, { cause })
  })

/**
 * The digest of a network: SHA-256, in hex, over `model.json` and its weights in the order it names them, as printed by
 * `cat model.json group1-shard1of2.bin group1-shard2of2.bin | sha256sum`.
 */
export function digestOf({ files }: NetworkFiles): string {
  const hash = createHash('sha256')
  for (const content of files.values()) hash.update(content)
  return hash.digest('hex')
}

/** Like {@link digestOf} for a model's files; without `model.json`, the SHA-256 of `model.onnx`. */
export const digestIn = async (
  names: readonly string[],
  read: (name: string) => Promise<Buffer>,
): Promise<string> =>
  names.includes('model.json') ? digestOf(await collectNetwork(read)) : sha256Of(await read('model.onnx'))

/** Where graphs and layers (named differently in Keras 3) define the shape of their input. */
const nodeSchema = z.object({
  attr: z.object({
    shape: z.object({ shape: z.object({ dim: z.array(z.object({ size: z.coerce.number() })) }) }),
  }),
})
const shape = z.array(z.number().nullable())
const layerSchema = z.object({
  config: z.object({ batch_input_shape: shape.optional(), batch_shape: shape.optional() }),
})
const shapesSchema = z.object({
  modelTopology: z.object({
    node: z.array(z.looseObject({ op: z.string() })).optional(),
    model_config: z
      .object({ config: z.union([z.array(z.unknown()), z.object({ layers: z.array(z.unknown()) })]) })
      .optional(),
  }),
})

/** The side of a network's square input, pixels; undefined if it is not defined. */
export function sideOf({ files }: NetworkFiles): number | undefined {
  const { data } = shapesSchema.safeParse(JSON.parse(String(files.get('model.json'))))
  const { node, model_config: model } = data?.modelTopology ?? {}
  const layers = model && ('layers' in model.config ? model.config.layers : model.config)
  const input = nodeSchema.safeParse(node?.find(({ op }) => op === 'Placeholder')).data
  const layer = layerSchema.safeParse(layers?.[0]).data
  const lengths =
    input?.attr.shape.shape.dim.map(({ size }) => size) ??
    layer?.config.batch_input_shape ??
    layer?.config.batch_shape
  const [, rows, columns] = lengths ?? []
  return rows && rows > 0 && rows === columns ? rows : undefined
}
