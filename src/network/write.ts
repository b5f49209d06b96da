import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { InvalidInputError } from '../errors'
import type { Network } from './graph'
import { toOnnx } from './onnx/write'
import { toSavedModel } from './saved-model'

/** Shard size of the TensorFlow.js converters, for caching and parallel loading in browsers. */
const shardBytes = 4 * 1024 * 1024

/**
 * Files of a network for all engines, by name: `model.json` and its weight shards, `model.onnx` if ONNX supports all of its
 * operations, and `saved_model.pb` if TensorFlow does.
 * @param by tool name written into the files
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

/** Undefined if the network cannot be converted. */
function written(write: (network: Network) => Uint8Array, network: Network): Uint8Array | undefined {
  try {
    return write(network)
  } catch (thrown) {
    if (thrown instanceof InvalidInputError) return undefined
    throw thrown
  }
}

/** Writes files to a folder. */
export async function writeFiles(folder: string, files: ReadonlyMap<string, Uint8Array>): Promise<void> {
  for (const [name, bytes] of files) await writeFile(join(folder, name), bytes)
}
