import type { loadGraphModel } from '@tensorflow/tfjs-converter'
import type * as Core from '@tensorflow/tfjs-core'
import type { StoredModel } from '../../model-folder/graph-model'
import type { Graph, ModelFiles, Predictor, TensorFlow } from './engine'

/*
 * TensorFlow.js graphs, for any copy of TensorFlow.js.
 */

/** Model artifacts in the format of TensorFlow.js. */
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

/** Loads a graph, to be executed operation by operation. */
export async function loadGraph(
  { io, loadGraphModel: load }: Pick<typeof Core, 'io'> & { loadGraphModel: typeof loadGraphModel },
  stored: StoredModel,
): Promise<Graph> {
  const artifacts = artifactsOf(stored)
  const graph = await load(io.fromMemory(artifacts))
  // The graph keeps its artifacts, but the weights are in the backend now.
  artifacts.weightData = undefined
  return {
    predict: (images) => graph.predict(images) as Core.Tensor | Core.Tensor[],
    dispose: () => graph.dispose(),
  }
}

/** Runs the graph of a model folder with TensorFlow.js. */
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
