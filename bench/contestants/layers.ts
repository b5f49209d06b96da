/*
 * The types used of @tensorflow/tfjs-layers, which is installed only when the benchmark runs.
 */

export interface SymbolicTensor {
  shape: (number | null)[]
}

interface Layer {
  apply(tensor: SymbolicTensor): SymbolicTensor
}

export interface LayersModel {
  predict(tensor: object): object
}

export interface Layers {
  layers: Record<
    'activation' | 'batchNormalization' | 'conv2d' | 'depthwiseConv2d' | 'globalAveragePooling2d' | 'reshape',
    (options: object) => Layer
  > & { input(options: { shape: number[] }): SymbolicTensor }
  initializers: { heNormal(options: { seed: number }): object }
  model(options: { inputs: SymbolicTensor; outputs: SymbolicTensor }): LayersModel
}
