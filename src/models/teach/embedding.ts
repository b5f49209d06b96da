import { decodeImage } from '../../classifier/decode'
import { findEngine } from '../../classifier/engines'
import type { EngineName } from '../../classifier/engines/names'
import { type GraphNode, type Network, readNetwork } from '../../classifier/network'
import { NetworkBuilder } from '../../classifier/network-builder'
import { inputsOf, outputsOf } from '../../classifier/network-graph'
import { weightsOf } from '../../classifier/network-weights'
import { preprocessor } from '../../classifier/preprocess'
import { InvalidInputError } from '../../errors'
import type { DescriptionOf } from '../description'
import type { ModelFolder } from '../folder'

/** A model that can be taught: it makes a vector of each image. */
export type BaseModel = ModelFolder<DescriptionOf<'classification' | 'embedding'>>

/** Makes the vector of an image. */
export interface Embedder {
  /** Ends in the vector. */
  network: Network
  /** @throws ImageError when the bytes cannot be decoded */
  embed(bytes: Uint8Array): Promise<Float32Array>
  dispose(): void
}

/** What may come between the last product and the probabilities: it changes no order, or only the shape. */
const closing = ['Softmax', 'Sigmoid', 'Reshape', 'Squeeze', 'Identity', 'BiasAdd', 'Add', 'AddV2']
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
    throw new InvalidInputError(`Expected a model with one output, found ${others.length + 1}`)

  function lastProduct(name: string): GraphNode {
    const node = nodes.get(name)
    const [input = '', ...parameters] = node ? inputsOf(node) : []
    const isWeighed = parameters.every((parameter) => weights.has(parameter))
    if (node && isWeighed && products.includes(node.op) && isOnePixel(node)) return node
    if (node && isWeighed && closing.includes(node.op)) return lastProduct(input)
    throw new InvalidInputError(
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

/**
 * Brings a model into memory as far as its embedding.
 * @param path of its folder, for errors
 * @throws InvalidInputError when it cannot be used
 */
export async function openEmbedder(base: BaseModel, engine: EngineName, path: string): Promise<Embedder> {
  const { task, input } = base.description
  const toInput = preprocessor(input)
  const whole = readNetwork(base, path)
  const network = task === 'embedding' ? whole : embeddingNetwork(whole)
  const predictor = await findEngine(engine).load(network)
  return {
    network,
    embed: async (bytes) => {
      const image = await decodeImage(bytes, input)
      const [vector = new Float32Array()] = await predictor.predict(toInput(image))
      return vector
    },
    dispose: () => predictor.dispose(),
  }
}
