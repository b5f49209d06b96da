import type { GraphNode, Network } from './graph'
import { inputOf, readBy, shapeAttribute } from './graph'
import { storedWeights, type Weight, weightOf, weightsOf } from './weights'

/*
 * Writes GraphDef's JSON, in which bytes are base64 and 64-bit integers are strings.
 */

type Attributes = GraphNode['attr']

const base64 = (value: string): string => Buffer.from(value).toString('base64')
export const text = (value: string) => ({ s: base64(value) })
export const texts = (values: string[]) => ({ list: { s: values.map(base64) } })
export const integers = (values: number[]) => ({ list: { i: values.map(String) } })
/** Of the values that a node takes and gives. */
export const ofFloats = { T: { type: 'DT_FLOAT' } }
/** Of a tensor of axes or lengths, by the name that its operation has for it. */
export const ofIntegers = (name: string): Attributes => ({ [name]: { type: 'DT_INT32' } })

export const dimensions = (shape: number[]) => ({ dim: shape.map((length) => ({ size: String(length) })) })

/** The node of a constant, whose values are a weight of the same name. */
export const constantNode = ({ name, dtype }: Weight): GraphNode => ({
  name,
  op: 'Const',
  input: [],
  attr: { dtype: { type: dtype === 'int32' ? 'DT_INT32' : 'DT_FLOAT' } },
})

/** What an input or output of the whole graph is called. @param shape without the axis of the images */
export const endpoint = (name: string, shape: number[]) => ({
  name: `${name}:0`,
  dtype: 'DT_FLOAT',
  tensorShape: dimensions([-1, ...shape]),
})

/** Builds a network node by node; every method returns the name of the node it added. */
export class NetworkBuilder {
  readonly #nodes = new Map<string, GraphNode>()
  readonly #weights: Weight[] = []

  /** @param base what the nodes are added to */
  constructor(base?: Network) {
    for (const node of base?.topology.node ?? []) this.#nodes.set(node.name, node)
    if (base) this.#weights.push(...weightsOf(base))
  }

  /** @param shape without the axis of the images */
  input(name: string, shape: number[]): string {
    return this.add(name, 'Placeholder', [], {
      dtype: { type: 'DT_FLOAT' },
      shape: { shape: dimensions([-1, ...shape]) },
    })
  }

  /** @param name changed where it is taken */
  add(name: string, op: string, input: string[], attr: Attributes = {}): string {
    const unique = this.#unique(name)
    this.#nodes.set(unique, { name: unique, op, input, attr })
    return unique
  }

  /** @param name changed where it is taken */
  constant(name: string, shape: number[], values: Float32Array | Int32Array): string {
    return this.weight(weightOf(this.#unique(name), shape, values))
  }

  /** A constant with values as they are stored. */
  weight(weight: Weight): string {
    this.#weights.push(weight)
    this.#nodes.set(weight.name, constantNode(weight))
    return weight.name
  }

  /**
   * What of it an output depends on.
   * @param size side of the square it sees, pixels
   * @param shape of the output, without the axis of the images; -1 where an axis may be of any length
   */
  network(size: number, output: string, shape: number[]): Network {
    const read = readBy(this.#nodes, [output])
    // TF.js reads the versions without looking whether they are there.
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
