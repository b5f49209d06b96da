import { InvalidInputError } from '../errors'
import type { GraphNode, Network } from './graph'
import { inputsOf, shapeAttribute, textAttribute, textsAttribute } from './graph'

/*
 * Engines detect mismatched kernels, too, but most do not say which.
 */

type Shapes = ReadonlyMap<string, readonly number[]>

const convolutions = ['Conv2D', '_FusedConv2D']
const depthwise = ['DepthwiseConv2dNative', 'FusedDepthwiseConv2dNative']

/** Operations that keep the number of channels of their first input. */
const keeping = ['Identity', 'Relu', 'Relu6', 'BiasAdd', 'MaxPool', 'AvgPool', 'Pad', 'FusedBatchNormV3']

/** Infers the number of output channels of nodes; undefined if unknown. */
class Channels {
  private readonly nodes: ReadonlyMap<string, GraphNode>
  private readonly known = new Map<string, number | undefined>()

  constructor(
    nodes: readonly GraphNode[],
    private readonly shapes: Shapes,
  ) {
    this.nodes = new Map(nodes.map((node) => [node.name, node]))
  }

  of(name: string): number | undefined {
    if (this.known.has(name)) return this.known.get(name)
    // Set first: the graph may have a cycle.
    this.known.set(name, undefined)
    const node = this.nodes.get(name)
    const channels = node && this.after(node)
    this.known.set(name, channels)
    return channels
  }

  after(node: GraphNode): number | undefined {
    const [first = '', second = ''] = inputsOf(node)
    if (node.op === 'Placeholder') {
      const [, , , channels = 0] = shapeAttribute(node) ?? []
      return channels > 0 ? channels : undefined
    }
    if (keeping.includes(node.op)) return this.of(first)
    const [, , inputs = 0, outputs = 0] = this.shapes.get(second) ?? []
    if (convolutions.includes(node.op)) return outputs || undefined
    return depthwise.includes(node.op) ? inputs * outputs || undefined : undefined
  }
}

const isConvolution = ({ op }: GraphNode): boolean => convolutions.includes(op) || depthwise.includes(op)

/**
 * Checks that kernels and biases match the channels of their inputs, as far as that can be inferred without running the network.
 * @throws InvalidInputError naming a weight that does not fit
 */
export function checkShapes({ topology, weightSpecs }: Pick<Network, 'topology' | 'weightSpecs'>): void {
  const shapes = new Map(weightSpecs.map(({ name, shape }) => [name, shape]))
  const channels = new Channels(topology.node, shapes)
  for (const node of topology.node.filter(isConvolution)) {
    const [, kernel = ''] = inputsOf(node)
    const shape = shapes.get(kernel)
    if (!shape || textAttribute(node, 'data_format') === 'NCHW') continue
    checkKernel(node, shape, channels)
    checkBias(node, shapes, channels)
  }
}

function checkKernel(node: GraphNode, shape: readonly number[], channels: Channels): void {
  const [image = '', kernel] = inputsOf(node)
  const message = `The weight ${kernel} of [${shape}] does not fit the operation ${node.name}`
  if (shape.length !== 4) throw new InvalidInputError('bad_model', `${message}: a kernel has 4 axes`)
  const given = channels.of(image)
  if (given !== undefined && given % (shape[2] ?? 0) !== 0)
    throw new InvalidInputError('bad_model', `${message}: its input has ${given} channels`)
}

function checkBias(node: GraphNode, shapes: Shapes, channels: Channels): void {
  const [firstStep] = textsAttribute(node, 'fused_ops')
  const [, , bias = ''] = inputsOf(node)
  const biases = firstStep === 'BiasAdd' ? shapes.get(bias) : undefined
  const made = channels.after(node)
  if (biases && String(biases) !== String([made]))
    throw new InvalidInputError(
      'bad_model',
      `The weight ${bias} of [${biases}] does not fit the operation ${node.name}: it outputs ${made} channels`,
    )
}
