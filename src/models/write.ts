import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Graph } from '../classifier/network'

/** The size TF.js converters use, so that browsers can cache and load shards side by side. */
const shardBytes = 4 * 1024 * 1024

/**
 * `model.json` and the weights' shards of a graph model, by file name.
 * @param by what has made them, as the file tells
 */
export function modelFiles(
  { topology, signature, weightSpecs, weights }: Graph,
  by = 'whisklens',
): Map<string, Uint8Array> {
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
  return new Map<string, Uint8Array>([
    ['model.json', Buffer.from(`${JSON.stringify(model)}\n`)],
    ...paths.map((path, index): [string, Uint8Array] => [
      path,
      weights.subarray(index * shardBytes, (index + 1) * shardBytes),
    ]),
  ])
}

/** Writes a graph model into a folder that has nothing of one yet. */
export async function writeNetwork(folder: string, graph: Graph): Promise<void> {
  for (const [name, bytes] of modelFiles(graph)) await writeFile(join(folder, name), bytes)
}
