import { InvalidInputError } from '../errors'
import { NetworkBuilder, ofFloats, ofIntegers } from './builder'
import { type GraphNode, inputsOf, type Network, outputsOf } from './graph'
import { dense } from './operations'
import { weightsOf } from './weights'

/** What tells labels from a vector: `vector × kernel + bias`, then a softmax. */
export interface Head {
  /** `[length of the vector, labels]`, row by row. */
  kernel: Float32Array
  /** A value for each label. */
  bias: Float32Array
}

/** What may come between the last product and the probabilities: it changes no order, or only the shape. */
const closing = ['Softmax', 'Sigmoid', 'Reshape', 'Squeeze', 'Identity', 'BiasAdd', 'Add', 'AddV2', 'Pad']
const products = ['MatMul', '_FusedMatMul', 'Conv2D', '_FusedConv2D']

/**
 * The network of a classifier as far as what its classes are told from: without its last matrix product, which in some is
 * a convolution of one pixel, and what comes after.
 * @throws InvalidInputError when it does not end in one
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
    if (node && isWeighed && closing.includes(node.op)) return lastProduct(input)
    throw new InvalidInputError(
      'model_unsupported',
      `The model does not end in a matrix product that could be replaced, but in ${node?.op ?? 'nothing'} (${name})`,
      { hint: 'Take another base with --model: most image classifiers end in a dense layer.' },
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

/** A network that ends in a vector, with a head on it: as every other classifier. */
export function withHead(embedding: Network, { kernel, bias }: Head): Network {
  const graph = new NetworkBuilder(embedding)
  const labels = bias.length
  const width = kernel.length / labels
  const [vector = ''] = outputsOf(embedding)
  // Some networks keep their vector as an image of one pixel.
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
