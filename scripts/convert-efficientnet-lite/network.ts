import { blocks, classCount, headChannels, imageSize, stemChannels } from './architecture'
import { GraphBuilder } from './graph'
import type { Weights } from './weights'

export const inputName = 'image'
export const outputName = 'probabilities'

/**
 * EfficientNet-Lite0 as a graph, from the weights of its PyTorch port: `image` `[n, 224, 224, 3]`, RGB scaled by
 * `(x − 127) / 128`, to `probabilities` `[n, 1000]`. The scaling stays outside: folded into the stem it would turn the
 * zeros of the padding into another colour.
 */
export function buildNetwork(weights: Weights): GraphBuilder {
  const graph = new GraphBuilder()
  const image = graph.placeholder(inputName, [-1, imageSize, imageSize, 3])
  const stem = weights.convolution('_conv_stem', '_bn0', [stemChannels, 3, 3, 3])
  let output = graph.convolution('stem', image, stem, 2, 'Relu6')

  blocks().forEach(({ kernel, stride, inputChannels, expansion, outputChannels, residual }, index) => {
    const from = `_blocks.${index}`
    const name = `block${index}`
    const blockInput = output
    const wide = inputChannels * expansion
    if (expansion > 1) {
      const expand = weights.convolution(`${from}._expand_conv`, `${from}._bn0`, [wide, inputChannels, 1, 1])
      output = graph.convolution(`${name}/expand`, output, expand, 1, 'Relu6')
    }
    const depthwise = weights.convolution(`${from}._depthwise_conv`, `${from}._bn1`, [
      wide,
      1,
      kernel,
      kernel,
    ])
    output = graph.depthwise(`${name}/depthwise`, output, depthwise, stride, 'Relu6')
    const project = weights.convolution(`${from}._project_conv`, `${from}._bn2`, [outputChannels, wide, 1, 1])
    output = graph.convolution(`${name}/project`, output, project)
    if (residual) output = graph.add(`${name}/add`, output, blockInput)
  })

  const headInputs = blocks().at(-1)?.outputChannels ?? 0
  const head = weights.convolution('_conv_head', '_bn1', [headChannels, headInputs, 1, 1])
  output = graph.convolution('head', output, head, 1, 'Relu6')
  output = graph.spatialMean('pool', output)
  output = graph.dense('logits', output, weights.dense('_fc', headChannels, classCount))
  graph.softmax(outputName, output)
  weights.expectAllTaken()
  return graph
}
