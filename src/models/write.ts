import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Network } from '../classifier/network'

/** The size TF.js converters use, so that browsers can cache and load shards side by side. */
const shardBytes = 4 * 1024 * 1024

/** Writes `model.json` and the weights' shards of a graph model into a folder that has none of them yet. */
export async function writeNetwork(folder: string, network: Network): Promise<void> {
  const { topology, signature, weightSpecs, weights } = network
  const count = Math.ceil(weights.length / shardBytes)
  const paths = Array.from({ length: count }, (_, index) => `group1-shard${index + 1}of${count}.bin`)
  for (const [index, path] of paths.entries()) {
    await writeFile(join(folder, path), weights.subarray(index * shardBytes, (index + 1) * shardBytes))
  }
  const model = {
    format: 'graph-model',
    generatedBy: 'whisklens',
    convertedBy: 'whisklens',
    signature,
    modelTopology: topology,
    weightsManifest: [{ paths, weights: weightSpecs }],
  }
  await writeFile(join(folder, 'model.json'), `${JSON.stringify(model)}\n`)
}
