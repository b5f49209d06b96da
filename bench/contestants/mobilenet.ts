import type * as Core from '@tensorflow/tfjs-core'
import type { Layers, LayersModel, SymbolicTensor } from './layers'

/** Filters and stride of each block: a depthwise and a 1×1 convolution. */
const blocks: [number, number][] = [
  [64, 1],
  [128, 2],
  [128, 1],
  [256, 2],
  [256, 1],
  [512, 2],
  ...Array.from({ length: 5 }, (): [number, number] => [512, 1]),
  [1024, 2],
  [1024, 1],
]

/**
 * MobileNetV1 for 224 pixels as in Keras, with fixed random weights.
 * @param alpha width multiplier
 */
export function mobileNet(tf: typeof Core, { layers, initializers, model }: Layers, alpha = 1): LayersModel {
  let seed = 0
  const random = () => initializers.heNormal({ seed: ++seed })
  const same = { padding: 'same', useBias: false }
  const activated = (tensor: SymbolicTensor): SymbolicTensor =>
    layers
      .activation({ activation: 'relu6' })
      .apply(layers.batchNormalization({ axis: -1, epsilon: 0.001 }).apply(tensor))
  const convolve = (tensor: SymbolicTensor, filters: number, kernelSize: number, strides: number) =>
    activated(
      layers.conv2d({ filters, kernelSize, strides, kernelInitializer: random(), ...same }).apply(tensor),
    )
  const depthwise = (tensor: SymbolicTensor, strides: number) =>
    activated(
      layers
        .depthwiseConv2d({ kernelSize: 3, strides, depthwiseInitializer: random(), ...same })
        .apply(tensor),
    )
  tf.enableProdMode()
  const input = layers.input({ shape: [224, 224, 3] })
  let tensor = convolve(input, 32 * alpha, 3, 2)
  for (const [filters, strides] of blocks) {
    tensor = convolve(depthwise(tensor, strides), filters * alpha, 1, 1)
  }
  tensor = layers.globalAveragePooling2d({}).apply(tensor)
  tensor = layers.reshape({ targetShape: [1, 1, 1024 * alpha] }).apply(tensor)
  tensor = layers.conv2d({ filters: 1000, kernelSize: 1, kernelInitializer: random() }).apply(tensor)
  tensor = layers.activation({ activation: 'softmax' }).apply(tensor)
  tensor = layers.reshape({ targetShape: [1000] }).apply(tensor)
  return model({ inputs: input, outputs: tensor })
}
