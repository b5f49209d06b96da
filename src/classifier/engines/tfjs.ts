import { loadGraphModel } from '@tensorflow/tfjs-converter'
import * as tf from '@tensorflow/tfjs-core'
import { readGraphModel } from '../../model-folder/graph-model'
import type { TensorFlow } from './engine'
import { loadGraph } from './graph'

/** The one that was started is back at once. */
export function useBackend(backend: string): void {
  if (tf.getBackend() !== backend) void tf.setBackend(backend)
}

/**
 * Starts a backend of the TensorFlow.js in our bundles.
 * @throws Error when it does not start on this machine
 */
export async function startBackend(backend: string): Promise<TensorFlow> {
  if (!(await tf.setBackend(backend))) throw new Error(`TensorFlow.js's backend "${backend}" does not start`)
  return {
    tf,
    use: () => useBackend(backend),
    loadGraph: ({ files, path }) => loadGraph({ ...tf, loadGraphModel }, readGraphModel(files, path)),
  }
}
