import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import * as tf from '@tensorflow/tfjs-core'
import { loadLayersModel } from '@tensorflow/tfjs-layers'
import { findEngine } from '../src/classifier/engines'
import { joined } from '../src/model-folder/graph-model'
import type { Network } from '../src/network/graph'
import { layersToNetwork } from '../src/network/layers'
import { topologySchema } from '../src/network/layers/topology'
import { optimizeNetwork } from '../src/network/optimize'
import { networkFiles } from '../src/network/write'
import { median } from './statistics'

/*
 * Speedup from folding and fusing on WebAssembly: a layers model in TensorFlow.js' own layers, as the converted graph, and as the
 * optimized graph, alternating.
 * Usage: npx tsx bench/layers.ts FOLDER [rounds]
 */

async function main(): Promise<void> {
  const [folder = join('..', 'shared', 'models', 'mobilenet_v1_0.25_224'), rounds = '60'] =
    process.argv.slice(2)
  const read = (name: string): Buffer => readFileSync(join(folder, name))
  const { modelTopology, weightsManifest } = JSON.parse(read('model.json').toString())
  const groups = weightsManifest as { paths: string[]; weights: tf.io.WeightsManifestEntry[] }[]
  const weightSpecs = groups.flatMap((group) => group.weights)
  const weights = joined(groups.flatMap(({ paths }) => paths).map(read))
  const size = 224

  const wasm = findEngine('wasm')
  await wasm.start?.()
  const layers = await loadLayersModel(
    tf.io.fromMemory({ modelTopology, weightSpecs, weightData: weights.buffer }),
  )
  const stored = { weightSpecs: weightSpecs as Parameters<typeof layersToNetwork>[1]['weightSpecs'], weights }
  const network = layersToNetwork(topologySchema.parse(modelTopology), stored, size)
  const load = (network: Network) =>
    wasm.load({ files: networkFiles(network), path: folder, input: { size } })
  const [graph, fused] = [await load(network), await load(optimizeNetwork(network))]
  const image = Float32Array.from({ length: size * size * 3 }, (_, index) => Math.sin(index * index))
  const ways = {
    'layers of TensorFlow.js': async () => {
      const output = tf.tidy(() => layers.predict(tf.tensor4d(image, [1, size, size, 3])) as tf.Tensor)
      await output.data()
      output.dispose()
    },
    'graph of them': () => graph.predict(image),
    'folded and fused': () => fused.predict(image),
  }

  const times = new Map(Object.keys(ways).map((way) => [way, [] as number[]]))
  for (let round = -10; round < Number(rounds); round++) {
    for (const [way, run] of Object.entries(ways)) {
      const before = process.cpuUsage()
      await run()
      const { user, system } = process.cpuUsage(before)
      // The first rounds compile.
      if (round >= 0) times.get(way)?.push((user + system) / 1000)
    }
  }
  const [first = 1] = [...times.values()].map(median)
  for (const [way, all] of times) {
    const middle = median(all)
    console.log(`${way}: ${middle.toFixed(1)} ms of CPU time, ${(middle / first).toFixed(2)}`)
  }
}

void main()
