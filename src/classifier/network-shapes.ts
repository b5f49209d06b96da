import { InvalidInputError } from '../errors'
import type { Graph, GraphNode } from './network'
import { inputsOf, shapeAttribute, textAttribute, textsAttribute } from './network-graph'

/*
 * Engines find a kernel that does not fit, too, but most do not say which.
 */

const convolutions = ['Conv2D', '_FusedConv2D']
const depthwise = ['DepthwiseConv2dNative', 'FusedDepthwiseConv2dNative']

/** Operations whose result has as many channels as what they read first. */
const keeping = ['Identity', 'Relu', 'Relu6', 'BiasAdd', 'MaxPool', 'AvgPool', 'Pad', 'FusedBatchNormV3']

/**
 * Checks that the kernels of a network and their biases fit what they are applied to, as far as that can be told without
 * running it.
 * @throws InvalidInputError naming the weight that does not
 */
export function checkShapes({ topology, weightSpecs }: Pick<Graph, 'topology' | 'weightSpecs'>): void {
  const shapes = new Map(weightSpecs.map(({ name, shape }) => [name, shape]))
  const nodes = new Map(topology.node.map((node) => [node.name, node]))
  const known = new Map<string, number | undefined>()

  /** How many channels an operation's result has; undefined where that cannot be told. */
  function channelsOf(name: string): number | undefined {
    if (known.has(name)) return known.get(name)
    known.set(name, undefined)
    const node = nodes.get(name)
    const channels = node && channelsAfter(node)
    known.set(name, channels)
    return channels
  }

  function channelsAfter(node: GraphNode): number | undefined {
    const [first = '', second = ''] = inputsOf(node)
    if (node.op === 'Placeholder') {
      const [, , , channels = 0] = shapeAttribute(node) ?? []
      return channels > 0 ? channels : undefined
    }
    if (keeping.includes(node.op)) return channelsOf(first)
    const [, , inputs = 0, outputs = 0] = shapes.get(second) ?? []
    if (convolutions.includes(node.op)) return outputs || undefined
    return depthwise.includes(node.op) ? inputs * outputs || undefined : undefined
  }

  for (const node of topology.node) {
    const isConvolution = [...convolutions, ...depthwise].includes(node.op)
    if (!isConvolution || textAttribute(node, 'data_format') === 'NCHW') continue
    const [image = '', kernel = '', bias = ''] = inputsOf(node)
    const shape = shapes.get(kernel)
    if (!shape) continue
    const told = `The weight ${kernel} of [${shape}] does not fit the operation ${node.name}`
    if (shape.length !== 4) throw new InvalidInputError(`${told}: a kernel has 4 axes`)
    const channels = channelsOf(image)
    if (channels !== undefined && channels % (shape[2] ?? 0) !== 0)
      throw new InvalidInputError(`${told}: it is given ${channels} channels`)
    const [firstStep] = textsAttribute(node, 'fused_ops')
    const biases = firstStep === 'BiasAdd' ? shapes.get(bias) : undefined
    const made = channelsAfter(node)
    if (biases && String(biases) !== String([made]))
      throw new InvalidInputError(
        `The weight ${bias} of [${biases}] does not fit the operation ${node.name}: it makes ${made} channels`,
      )
  }
}
