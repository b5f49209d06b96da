import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { InvalidInputError } from '../errors'
import type { Network } from './graph'
import { toOnnx } from './onnx/write'
import { toSavedModel } from './saved-model'

/** The size TF.js converters use, so that browsers can cache and load shards side by side. */
const shardBytes = 4 * 1024 * 1024

/**
 * What engines read of a network, by file name: `model.json`, the shards of its weights, `model.onnx` where ONNX has all of
 * its operations, and `saved_model.pb` where TensorFlow has.
 * @param by what has made them, as the file tells
 */
export function networkFiles(network: Network, by = 'whisklens'): Map<string, Uint8Array> {
  const { topology, signature, weightSpecs, weights } = network
  const count = Math.ceil(weights.length / shardBytes)
  const paths = Array.from({ length: count }, (_, index) => `group1-shard${index + 1}of${count}.bin`)
  const model = {
    format: 'graph-model',
    generatedBy: by,
    convertedBy: by,
    signature,
    modelTopology: topology,
    weightsManifest: [{ paths, weights: weightSpecs }],
  }
  const [onnx, savedModel] = [written(toOnnx, network), written(toSavedModel, network)]
  return new Map<string, Uint8Array>([
    ['model.json', Buffer.from(`${JSON.stringify(model)}\n`)],
    ...paths.map((path, index): [string, Uint8Array] => [
      path,
      weights.subarray(index * shardBytes, (index + 1) * shardBytes),
    ]),
    ...(onnx ? [['model.onnx', onnx] as const] : []),
    ...(savedModel ? [['saved_model.pb', savedModel] as const] : []),
  ])
}

/** Nothing of a network that cannot be written so. */
function written(write: (network: Network) => Uint8Array, network: Network): Uint8Array | undefined {
  try {
    return write(network)
  } catch (thrown) {
    if (thrown instanceof InvalidInputError) return undefined
    throw thrown
  }
}

/** Writes files into a folder. */
export async function writeFiles(folder: string, files: ReadonlyMap<string, Uint8Array>): Promise<void> {
  for (const [name, bytes] of files) await writeFile(join(folder, name), bytes)
}
