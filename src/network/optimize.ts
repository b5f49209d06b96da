import { type Affine, affineOf } from './affine'
import { constantNode, texts } from './builder'
import type { GraphNode, Network } from './graph'
import { dependenciesOf, inputsOf, outputsOf, textAttribute, textsAttribute } from './graph'
import { floatsOf, storedWeights, type Weight, weightOf, weightsOf } from './weights'

/** Operations that are linear in a kernel, with the names of their fused forms. */
const linear = new Map([
  ['Conv2D', '_FusedConv2D'],
  ['DepthwiseConv2dNative', 'FusedDepthwiseConv2dNative'],
  ['MatMul', '_FusedMatMul'],
])
const fused = [...linear.values()]
const activations = ['Relu', 'Relu6']

/** What to fold into a linear operation: scale and shift per channel, then an activation. */
interface Change extends Partial<Affine> {
  activation?: string
}

/** A network being optimized. Nodes without a reader are dropped at the end. */
class Draft {
  readonly #nodes: Map<string, GraphNode>
  readonly #weights: Map<string, Weight>
  readonly #readers = new Map<string, number>()

  constructor(readonly network: Network) {
    const { node: nodes } = network.topology
    this.#nodes = new Map(nodes.map((node) => [node.name, node]))
    this.#weights = new Map(weightsOf(network).map((weight) => [weight.name, weight]))
    // Outputs are read by the caller.
    for (const name of [...nodes.flatMap(inputsOf), ...outputsOf(network)])
      this.#readers.set(name, (this.#readers.get(name) ?? 0) + 1)
  }

  /** Folds or fuses a node into the one that it reads. @returns whether it could */
  absorb = (name: string): boolean => {
    const node = this.#nodes.get(name)
    for (const input of node ? inputsOf(node) : []) {
      const target = this.#linear(input)
      const change = target && node && this.#changeBy(node, input, this.#channelsOf(target))
      if (!change) continue
      this.#replace(name, target, change)
      return true
    }
    return false
  }

  /** The linear operation with that name, if it has a single reader and ends in its bias. */
  #linear(name: string): GraphNode | undefined {
    const node = this.#nodes.get(name)
    if (!node || !(linear.has(node.op) || fused.includes(node.op)) || this.#readers.get(name) !== 1)
      return undefined
    const steps = textsAttribute(node, 'fused_ops')
    const [, ...parameters] = inputsOf(node)
    const isPlain =
      steps.every((step) => step === 'BiasAdd') && parameters.every((of) => this.#weights.has(of))
    const isOdd = node.attr.transpose_b?.b || textAttribute(node, 'data_format') === 'NCHW'
    return isPlain && !isOdd ? node : undefined
  }

  #channelsOf(node: GraphNode): number {
    const { shape = [] } = this.#weights.get(inputsOf(node)[1] ?? '') ?? {}
    return (node.op.includes('Depthwise') ? (shape.at(-2) ?? 0) : 1) * (shape.at(-1) ?? 0)
  }

  #changeBy(node: GraphNode, input: string, channels: number): Change | undefined {
    if (activations.includes(node.op)) return { activation: node.op }
    return affineOf(node, input, channels, this.#weights)
  }

  #replace(name: string, target: GraphNode, { scale, shift, activation }: Change): void {
    const [image = '', kernelName = '', biasName = ''] = target.input
    const bias = this.#weights.get(biasName)
    const before = bias ? floatsOf(bias) : new Float32Array(this.#channelsOf(target))
    const after = before.map((value, channel) => value * (scale?.[channel] ?? 1) + (shift?.[channel] ?? 0))
    const steps = activation ? ['BiasAdd', activation] : ['BiasAdd']
    this.#nodes.set(name, {
      name,
      op: linear.get(target.op) ?? target.op,
      input: [
        image,
        this.#scaledKernel(name, kernelName, scale),
        this.#constant(`${name}/bias`, [after.length], after),
      ],
      attr: { ...target.attr, num_args: { i: '1' }, epsilon: { f: 0 }, fused_ops: texts(steps) },
    })
  }

  /** Channels are the last axis of a kernel, or the last two of a depthwise one; indexing by remainder works for both. */
  #scaledKernel(name: string, kernelName: string, scale?: Affine['scale']): string {
    const kernel = this.#weights.get(kernelName)
    if (!scale || !kernel) return kernelName
    const values = floatsOf(kernel).map((value, index) => value * (scale[index % scale.length] ?? 1))
    return this.#constant(`${name}/kernel`, kernel.shape, values)
  }

  #constant(name: string, shape: number[], values: Float32Array): string {
    let unique = name
    while (this.#nodes.has(unique)) unique += '_'
    const weight = weightOf(unique, shape, values)
    this.#weights.set(unique, weight)
    this.#nodes.set(unique, constantNode(weight))
    return unique
  }

  finish(): Network {
    const read = dependenciesOf(this.#nodes, outputsOf(this.network))
    const node = [...this.#nodes.values()].filter(({ name, op }) => read.has(name) || op === 'Placeholder')
    const weights = [...this.#weights.values()].filter(({ name }) => read.has(name))
    return { ...this.network, topology: { ...this.network.topology, node }, ...storedWeights(weights) }
  }
}

/**
 * Folds batch norms and other per-channel scales and shifts into the kernels before them, in double precision, fuses biases and
 * activations, and drops nodes that no output depends on. Results are equal up to rounding; unchanged kernels keep their stored type.
 * @throws InvalidInputError if the weights do not match the network
 */
export function optimizeNetwork(network: Network): Network {
  const draft = new Draft(network)
  const names = network.topology.node.map(({ name }) => name)
  // Nodes are in any order, and each change may enable the next.
  while (names.filter(draft.absorb).length > 0);
  return draft.finish()
}
