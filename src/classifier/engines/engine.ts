import type { Network } from '../network'

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
   * @throws Error when the engine does not start here, or cannot run this network
   */
  load(network: Network): Promise<Predictor>
}

/** A network in an engine's memory. */
export interface Predictor {
  /**
   * Runs the network.
   * @param images NHWC: `[n, size, size, 3]`, scaled as the network was trained
   * @returns the values of each of its outputs
   */
  predict(images: Float32Array): Promise<Float32Array[]>
  /** What the engine holds, for the log: it must not grow from image to image. */
  memory(): object
  dispose(): void
}
