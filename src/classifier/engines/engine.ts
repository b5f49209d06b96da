import type * as Core from '@tensorflow/tfjs-core'
import type { SquareInput } from '../../model-folder/description'
import type { Files } from '../../model-folder/folder'
import type { NetworkInput } from '../network-input'

/** What engines get of a model. */
export interface ModelFiles {
  files: Files
  /** The folder they are from, for errors. */
  path: string
  input: Pick<SquareInput, 'size' | 'layout' | 'type'>
}

/** What runs a network: one file of this folder each. */
export interface Engine {
  /** What has to be installed before it can run, as one sentence; undefined where it is all there. */
  missing(): string | undefined
  /** The least memory of an action in which it is taken where settings leave the choice, bytes. */
  leastMemory?: number
  /**
   * Of TensorFlow.js' own engines: starts the backend, for a library that works on tensors.
   * @throws Error when it does not start here
   */
  start?(): Promise<TensorFlow>
  /**
   * Makes a network ready to run.
   * @throws InvalidInputError when a file is missing or cut short
   * @throws Error when the engine does not start here, or cannot run this network
   */
  load(network: ModelFiles): Promise<Predictor>
}

/** TensorFlow.js with a backend that was started. */
export interface TensorFlow {
  tf: typeof Core
  /** Makes the backend the current one: another engine of this process may have changed it. */
  use(): void
  /** Brings the graph of a model folder into the backend's memory. */
  loadGraph(model: ModelFiles): Promise<Graph>
}

/** A graph in a backend's memory. */
export interface Graph {
  /** @returns its outputs, which the caller disposes of, as of the input */
  predict(images: Core.Tensor): Core.Tensor | Core.Tensor[]
  dispose(): void
}

/** A network in an engine's memory. */
export interface Predictor {
  /**
   * Runs the network.
   * @param images NHWC: `[n, size, size, 3]`, scaled as the network was trained, or pixels where it takes `uint8`
   * @returns the values of each of its outputs
   */
  predict(images: NetworkInput): Promise<Float32Array[]>
  /** What the engine holds, for the log: it must not grow from image to image. */
  memory(): object
  dispose(): void
}
