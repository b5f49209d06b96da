/*
 * TensorFlow.js as a bundle of its own, which the command line's bundles require when an engine needs it. All of its
 * packages are in it: they share one core.
 */

export * from '@tensorflow/tfjs-backend-cpu'
export * from '@tensorflow/tfjs-backend-wasm'
export * from '@tensorflow/tfjs-converter'
export * from '@tensorflow/tfjs-core'
