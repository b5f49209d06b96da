import type { loadGraphModel } from '@tensorflow/tfjs-converter'
import type * as Core from '@tensorflow/tfjs-core'
import type { StoredModel } from '../../model-folder/graph-model'
import type { Graph, ModelFiles, Predictor, TensorFlow } from './engine'

/*
 * Graphs of TensorFlow.js, whichever copy of it runs them.
 */

/** A graph as TensorFlow.js loads it. */
export const artifactsOf = ({
  topology,
  signature,
  weightSpecs,
  weights,
}: StoredModel): Core.io.ModelArtifacts => ({
  modelTopology: topology,
  signature: signature as Core.io.ModelArtifacts['signature'],
  weightSpecs: weightSpecs as Core.io.WeightsManifestEntry[],
  weightData: weights.buffer,
})

/** Brings a graph into memory, to be run operation by operation. */
export async function loadGraph(
  { io, loadGraphModel: load }: Pick<typeof Core, 'io'> & { loadGraphModel: typeof loadGraphModel },
  stored: StoredModel,
): Promise<Graph> {
  const artifacts = artifactsOf(stored)
  const graph = await load(io.fromMemory(artifacts))
  // The graph keeps what it was made from, but the backend has the weights now.
  artifacts.weightData = undefined
  return {
    predict: (images) => graph.predict(images) as Core.Tensor | Core.Tensor[],
    dispose: () => graph.dispose(),
  }
}

/** Has TensorFlow.js run the graph of a model folder. */
export async function predictorOn({ tf, use, loadGraph }: TensorFlow, model: ModelFiles): Promise<Predictor> {
  const { size } = model.input
  const graph = await loadGraph(model)
  return {
    predict: async (images) => {
      use()
      const input = tf.tensor4d(images as Float32Array, [images.length / (size * size * 3), size, size, 3])
      let outputs: Core.Tensor[] = []
      try {
        outputs = [graph.predict(input)].flat()
        return (await Promise.all(outputs.map((output) => output.data()))) as Float32Array[]
      } finally {
        tf.dispose([input, outputs])
      }
    },
    memory: () => tf.memory(),
    dispose: () => graph.dispose(),
  }
}
