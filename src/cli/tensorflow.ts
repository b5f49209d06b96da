/*
 * Separate bundle with TensorFlow.js, required by the command line's bundles when an engine needs it. Its packages share one
 * core, so they are bundled together.
 */

export * from '@tensorflow/tfjs-backend-cpu'
export * from '@tensorflow/tfjs-backend-wasm'
export * from '@tensorflow/tfjs-converter'
export * from '@tensorflow/tfjs-core'
