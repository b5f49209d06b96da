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
  /**
   * Of TensorFlow.js' own engines: starts the backend of the same name, for a library that brings its own network.
   * @throws Error when it does not start here
   */
  start?(): Promise<void>
  /**
   * Makes a network ready to run.
   * @throws InvalidInputError when a file is missing or cut short
   * @throws Error when the engine does not start here, or cannot run this network
   */
  load(network: ModelFiles): Promise<Predictor>
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
