import { InvalidInputError } from '../errors'
import { NetworkBuilder, ofFloats, ofIntegers } from './builder'
import { type GraphNode, inputsOf, type Network, outputsOf } from './graph'
import { dense } from './operations'
import { weightsOf } from './weights'

/** The last layer of a classifier: `vector × kernel + bias`, then softmax. */
export interface Head {
  /** `[vector length, labels]`, row-major. */
  kernel: Float32Array
  /** One value per label. */
  bias: Float32Array
}

/** Operations allowed between the last product and the probabilities: they keep the order, or only change the shape. */
const afterProduct = [
  'Softmax',
  'Sigmoid',
  'Reshape',
  'Squeeze',
  'Identity',
  'BiasAdd',
  'Add',
  'AddV2',
  'Pad',
]
const products = ['MatMul', '_FusedMatMul', 'Conv2D', '_FusedConv2D']

/**
 * The network of a classifier up to its embedding: without the last matrix product (in some networks a 1×1 convolution) and what
 * follows.
 * @throws InvalidInputError if it does not end in one
 */
export function embeddingNetwork(network: Network): Network {
  const nodes = new Map(network.topology.node.map((node) => [node.name, node]))
  const weights = new Map(weightsOf(network).map((weight) => [weight.name, weight]))
  const [output = '', ...others] = outputsOf(network)
  if (others.length > 0)
    throw new InvalidInputError(
      'model_unsupported',
      `Expected a model with one output, found ${others.length + 1}`,
    )

  function lastProduct(name: string): GraphNode {
    const node = nodes.get(name)
    const [input = '', ...parameters] = node ? inputsOf(node) : []
    const isWeighed = parameters.every((parameter) => weights.has(parameter))
    if (node && isWeighed && products.includes(node.op) && isOnePixel(node)) return node
    if (node && isWeighed && afterProduct.includes(node.op)) return lastProduct(input)
    throw new InvalidInputError(
      'model_unsupported',
      `The model ends in ${node?.op ?? 'nothing'} (${name}), not in a matrix product that can be replaced`,
      { hint: 'Choose another base with --model: most image classifiers end in a dense layer.' },
    )
  }

  const isOnePixel = ({ op, input }: GraphNode): boolean =>
    op.endsWith('MatMul') ||
    weights
      .get(input[1] ?? '')
      ?.shape.slice(0, 2)
      .join() === '1,1'

  const [embedding = ''] = inputsOf(lastProduct(output))
  return new NetworkBuilder(network).network(network.size, embedding, [-1])
}

/** Adds a head to an embedding network. */
export function withHead(embedding: Network, { kernel, bias }: Head): Network {
  const graph = new NetworkBuilder(embedding)
  const labels = bias.length
  const width = kernel.length / labels
  const [vector = ''] = outputsOf(embedding)
  // Some networks output the vector as an image of one pixel.
  const shape = graph.constant('taught/shape', [2], Int32Array.of(-1, width))
  const attributes = { ...ofFloats, ...ofIntegers('Tshape') }
  const flat = graph.add('taught/vector', 'Reshape', [vector, shape], attributes)
  const parameters = {
    kernel: graph.constant('taught/kernel', [width, labels], kernel),
    bias: graph.constant('taught/bias', [labels], bias),
  }
  const logits = dense(graph, 'taught/logits', flat, parameters)
  const probabilities = graph.add('taught/probabilities', 'Softmax', [logits], ofFloats)
  return graph.network(embedding.size, probabilities, [labels])
}
