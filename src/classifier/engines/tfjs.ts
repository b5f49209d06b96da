import { loadGraphModel } from '@tensorflow/tfjs-converter'
import * as tf from '@tensorflow/tfjs-core'
import type { Network } from '../network'
import type { Predictor } from './engine'

/** Runs a network on a backend of TensorFlow.js. */
export async function loadOnBackend(backend: string, network: Network): Promise<Predictor> {
  if (!(await tf.setBackend(backend))) throw new Error(`TensorFlow.js's backend "${backend}" does not start`)
  const { topology, signature, weightSpecs, weights, size } = network
  const artifacts: tf.io.ModelArtifacts = {
    modelTopology: topology,
    signature: signature as tf.io.ModelArtifacts['signature'],
    weightSpecs: weightSpecs as tf.io.WeightsManifestEntry[],
    weightData: weights.buffer,
  }
  const graph = await loadGraphModel(tf.io.fromMemory(artifacts))
  // The graph keeps what it was made from, but the backend has the weights now.
  artifacts.weightData = undefined
  return {
    predict: async (images) => {
      // Another engine of this process may have made its own backend the current one. A started one is back at once.
      if (tf.getBackend() !== backend) void tf.setBackend(backend)
      const input = tf.tensor4d(images, [images.length / (size * size * 3), size, size, 3])
      let outputs: tf.Tensor[] = []
      try {
        outputs = [graph.predict(input) as tf.Tensor | tf.Tensor[]].flat()
        return (await Promise.all(outputs.map((output) => output.data()))) as Float32Array[]
      } finally {
        tf.dispose([input, outputs])
      }
    },
    memory: () => tf.memory(),
    dispose: () => graph.dispose(),
  }
}
