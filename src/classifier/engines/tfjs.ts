import { loadGraphModel } from '@tensorflow/tfjs-converter'
import * as tf from '@tensorflow/tfjs-core'
import { readGraphModel } from '../../model-folder/graph-model'
import type { TensorFlow } from './engine'
import { loadGraph } from './graph'

/** Switches back to a started backend; takes effect immediately. */
export function useBackend(backend: string): void {
  if (tf.getBackend() !== backend) void tf.setBackend(backend)
}

/**
 * Starts a backend of the bundled TensorFlow.js.
 * @throws Error if it does not start on this machine
 */
export async function startBackend(backend: string): Promise<TensorFlow> {
  if (!(await tf.setBackend(backend)))
    throw new Error(`The TensorFlow.js backend "${backend}" does not start`)
  return {
    tf,
    use: () => useBackend(backend),
    loadGraph: ({ files, path }) => loadGraph({ ...tf, loadGraphModel }, readGraphModel(files, path)),
  }
}
