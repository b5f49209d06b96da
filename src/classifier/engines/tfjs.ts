import { loadGraphModel } from '@tensorflow/tfjs-converter'
import * as tf from '@tensorflow/tfjs-core'
import { readGraphModel, type StoredModel } from '../../model-folder/graph-model'
import type { ModelFiles, Predictor } from './engine'

/** @throws Error when it does not start on this machine */
export async function startBackend(backend: string): Promise<void> {
  if (!(await tf.setBackend(backend))) throw new Error(`TensorFlow.js's backend "${backend}" does not start`)
}

/** Another engine of this process may have made its own backend the current one. A started one is back at once. */
export function useBackend(backend: string): void {
  if (tf.getBackend() !== backend) void tf.setBackend(backend)
}

/** A graph as TensorFlow.js loads it. */
export const artifactsOf = ({
  topology,
  signature,
  weightSpecs,
  weights,
}: StoredModel): tf.io.ModelArtifacts => ({
  modelTopology: topology,
  signature: signature as tf.io.ModelArtifacts['signature'],
  weightSpecs: weightSpecs as tf.io.WeightsManifestEntry[],
  weightData: weights.buffer,
})

/** Runs the graph of a model folder on a backend of TensorFlow.js. */
export async function loadOnBackend(
  backend: string,
  { files, path, input: { size } }: ModelFiles,
): Promise<Predictor> {
  await startBackend(backend)
  const artifacts = artifactsOf(readGraphModel(files, path))
  const graph = await loadGraphModel(tf.io.fromMemory(artifacts))
  // The graph keeps what it was made from, but the backend has the weights now.
  artifacts.weightData = undefined
  return {
    predict: async (images) => {
      useBackend(backend)
      const input = tf.tensor4d(images as Float32Array, [images.length / (size * size * 3), size, size, 3])
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
