import type { GraphNode, Network } from './graph'
import { dependenciesOf, inputOf, shapeAttribute } from './graph'
import { storedWeights, type Weight, weightOf, weightsOf } from './weights'

/*
 * Writes GraphDef JSON, with bytes as base64 and 64-bit integers as strings.
 */

type Attributes = GraphNode['attr']

const base64 = (value: string): string => Buffer.from(value).toString('base64')
export const text = (value: string) => ({ s: base64(value) })
export const texts = (values: string[]) => ({ list: { s: values.map(base64) } })
export const integers = (values: number[]) => ({ list: { i: values.map(String) } })
/** Attribute for nodes on floats. */
export const ofFloats = { T: { type: 'DT_FLOAT' } }
/** Attribute for a tensor of axes or lengths, under the operation's name for it. */
export const ofIntegers = (name: string): Attributes => ({ [name]: { type: 'DT_INT32' } })

export const dimensions = (shape: number[]) => ({ dim: shape.map((length) => ({ size: String(length) })) })

/** The node of a constant, with the name of its weight. */
export const constantNode = ({ name, dtype }: Weight): GraphNode => ({
  name,
  op: 'Const',
  input: [],
  attr: { dtype: { type: dtype === 'int32' ? 'DT_INT32' : 'DT_FLOAT' } },
})

/** An input or output of the graph in its signature. @param shape without the batch axis */
export const endpoint = (name: string, shape: number[]) => ({
  name: `${name}:0`,
  dtype: 'DT_FLOAT',
  tensorShape: dimensions([-1, ...shape]),
})

/** Builds a network node by node. Methods return the name of the node they add. */
export class NetworkBuilder {
  readonly #nodes = new Map<string, GraphNode>()
  readonly #weights: Weight[] = []

  /** @param base network to extend */
  constructor(base?: Network) {
    for (const node of base?.topology.node ?? []) this.#nodes.set(node.name, node)
    if (base) this.#weights.push(...weightsOf(base))
  }

  /** @param shape without the batch axis */
  input(name: string, shape: number[]): string {
    return this.add(name, 'Placeholder', [], {
      dtype: { type: 'DT_FLOAT' },
      shape: { shape: dimensions([-1, ...shape]) },
    })
  }

  /** @param name made unique if taken */
  add(name: string, op: string, input: string[], attr: Attributes = {}): string {
    const unique = this.#unique(name)
    this.#nodes.set(unique, { name: unique, op, input, attr })
    return unique
  }

  /** @param name made unique if taken */
  constant(name: string, shape: number[], values: Float32Array | Int32Array): string {
    return this.weight(weightOf(this.#unique(name), shape, values))
  }

  /** A constant with stored values. */
  weight(weight: Weight): string {
    this.#weights.push(weight)
    this.#nodes.set(weight.name, constantNode(weight))
    return weight.name
  }

  /**
   * The nodes that an output depends on, as a network.
   * @param size side of the square input, pixels
   * @param shape of the output, without the batch axis; -1 for an axis of any length
   */
  network(size: number, output: string, shape: number[]): Network {
    const read = dependenciesOf(this.#nodes, [output])
    // TensorFlow.js reads the versions without checking that they exist.
    const topology = {
      node: [...this.#nodes.values()].filter(({ name }) => read.has(name)),
      library: {},
      versions: {},
    }
    const weights = storedWeights(this.#weights.filter(({ name }) => read.has(name)))
    const outputs = { [output]: endpoint(output, shape) }
    const network: Network = { topology, signature: { outputs }, ...weights, size }
    const input = inputOf(network)
    const inputs = { [input.name]: endpoint(input.name, shapeAttribute(input)?.slice(1) ?? [size, size, 3]) }
    return { ...network, signature: { inputs, outputs } }
  }

  #unique(name: string): string {
    let unique = name
    for (let number = 1; this.#nodes.has(unique); number++) unique = `${name}_${number}`
    return unique
  }
}
