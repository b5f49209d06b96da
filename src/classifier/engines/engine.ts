import type * as Core from '@tensorflow/tfjs-core'
import type { SquareInput } from '../../model-folder/description'
import type { Files } from '../../model-folder/folder'
import type { NetworkInput } from '../network-input'

/** Files and input of a model, for engines. */
export interface ModelFiles {
  files: Files
  /** Folder of the files, for error messages. */
  path: string
  input: Pick<SquareInput, 'size' | 'layout' | 'type'>
}

/** Runs networks: one file of this folder per engine. */
export interface Engine {
  /** What has to be installed, as a sentence; undefined if nothing is missing. */
  missing(): string | undefined
  /** Minimum memory of an action for automatic selection, bytes. */
  leastMemory?: number
  /**
   * TensorFlow.js engines: starts the backend, for libraries that work on tensors.
   * @throws Error if it does not start on this machine
   */
  start?(): Promise<TensorFlow>
  /**
   * Loads a network.
   * @throws InvalidInputError if a file is missing or truncated
   * @throws Error if the engine does not start on this machine, or cannot run the network
   */
  load(network: ModelFiles): Promise<Predictor>
}

/** TensorFlow.js with a started backend. */
export interface TensorFlow {
  tf: typeof Core
  /** Makes the backend current: another engine in this process may have changed it. */
  use(): void
  /** Loads the graph of a model folder into the backend. */
  loadGraph(model: ModelFiles): Promise<Graph>
}

/** A loaded graph. */
export interface Graph {
  /** @returns the outputs; the caller disposes of them, and of the input */
  predict(images: Core.Tensor): Core.Tensor | Core.Tensor[]
  dispose(): void
}

/** A loaded network. */
export interface Predictor {
  /**
   * Runs the network.
   * @param images NHWC: `[n, size, size, 3]`, normalised as the network requires; raw pixels for `uint8` inputs
   * @returns the values of each output
   */
  predict(images: NetworkInput): Promise<Float32Array[]>
  /** Memory statistics for the log; must not grow from image to image. */
  memory(): object
  dispose(): void
}
