import { InvalidInputError } from '../../errors'
import type { GraphNode, Network } from '../network'
import {
  flagAttribute,
  inputOf,
  inputsOf,
  integersAttribute,
  outputsOf,
  shapeAttribute,
  textAttribute,
  textsAttribute,
} from '../network-graph'
import { integersOf, type Weight, weightsOf } from '../network-weights'
import { OnnxGraph } from './onnx-graph'

/*
 * Writes a TensorFlow.js network out as ONNX. Every node is translated by itself: tensors stay NHWC, and each
 * convolution, which ONNX has for NCHW only, gets a Transpose before and after it. ONNX Runtime takes them out again
 * in pairs, as it does what is only made of constants, such as the widening of float16.
 */

/** A node, and where it is translated to. */
interface Place {
  node: GraphNode
  graph: OnnxGraph
  /** How many nodes it reads. */
  inputs: number
  /** Translates the node that it reads as its input of that number. */
  input(index: number): string
  /** The weight that this node stands for, or the node it reads. */
  weight(index?: number): Weight
}

function refuse({ name, op }: GraphNode, detail?: string): never {
  throw new InvalidInputError(`onnx cannot run ${detail ? `${detail} of ` : ''}the operation ${op} (${name})`)
}

const relu = (graph: OnnxGraph, input: string) => graph.add('Relu', [input])
const relu6 = (graph: OnnxGraph, input: string) =>
  graph.add('Clip', [input, graph.scalar(0), graph.scalar(6)])
const activations: Record<string, typeof relu> = { Relu: relu, Relu6: relu6 }

/** What a fused operation does after it has added its bias. */
function activate({ node, graph }: Place, input: string): string {
  const steps = textsAttribute(node, 'fused_ops').filter((step) => step !== 'BiasAdd')
  return steps.reduce((output, step) => (activations[step] ?? refuse(node, step))(graph, output), input)
}

/**
 * TensorFlow's SAME pads more at the end where the padding is odd, as ONNX's SAME_UPPER.
 * @param kernel in ONNX's layout
 */
function convolve(place: Place, kernel: string, group: number): string {
  const { node, graph, inputs, input } = place
  const padding = { SAME: 'SAME_UPPER', VALID: 'VALID' }[textAttribute(node, 'padding') ?? '']
  if (!padding) return refuse(node, 'the padding')
  if (textAttribute(node, 'data_format') === 'NCHW') return refuse(node, 'the format')
  const spatial = (name: string) => integersAttribute(node, name).slice(1, 3)
  const image = graph.add('Transpose', [input(0)], { perm: [0, 3, 1, 2] })
  const bias = inputs > 2 ? [input(2)] : []
  const output = graph.add('Conv', [image, kernel, ...bias], {
    auto_pad: padding,
    group,
    strides: spatial('strides'),
    ...(spatial('dilations').length > 0 && { dilations: spatial('dilations') }),
  })
  return graph.add('Transpose', [activate(place, output)], { perm: [0, 2, 3, 1] })
}

/** `[h, w, in, out]` → `[out, in, h, w]` */
function convolution(place: Place): string {
  const kernel = place.graph.add('Transpose', [place.input(1)], { perm: [3, 2, 0, 1] })
  return convolve(place, kernel, 1)
}

/** `[h, w, in, multiplier]` → `[in × multiplier, 1, h, w]` */
function depthwise(place: Place): string {
  const { graph, input, weight } = place
  const [height = 0, width = 0, depth = 0, multiplier = 0] = weight(1).shape
  const transposed = graph.add('Transpose', [input(1)], { perm: [2, 3, 0, 1] })
  const shape = graph.integers([depth * multiplier, 1, height, width])
  return convolve(place, graph.add('Reshape', [transposed, shape]), depth)
}

function matMul(place: Place): string {
  const { node, graph } = place
  const [transA, transB] = ['transpose_a', 'transpose_b'].map((name) => Number(flagAttribute(node, name)))
  return activate(place, graph.add('Gemm', allInputs(place), { transA, transB }))
}

function mean({ node, graph, input, weight }: Place): string {
  const axes = integersOf(weight(1))
  return graph.add('ReduceMean', [input(0)], { axes, keepdims: Number(flagAttribute(node, 'keep_dims')) })
}

/** The weight as it is stored, widened by the graph itself. */
function constant({ graph, weight }: Place): string {
  const { dtype, stored, shape, bytes, scale, min } = weight()
  const raw = graph.constant(stored, shape, bytes)
  if (stored === dtype || dtype !== 'float32') return raw
  const widened = graph.cast(raw, 'float32')
  if (stored === 'float16') return widened
  return graph.add('Add', [graph.add('Mul', [widened, graph.scalar(scale)]), graph.scalar(min)])
}

const allInputs = ({ inputs, input }: Place): string[] =>
  Array.from({ length: inputs }, (_, index) => input(index))

const add = (place: Place): string => place.graph.add('Add', allInputs(place))

const operations: Record<string, (place: Place) => string> = {
  Const: constant,
  Identity: ({ input }) => input(0),
  Conv2D: convolution,
  _FusedConv2D: convolution,
  DepthwiseConv2dNative: depthwise,
  FusedDepthwiseConv2dNative: depthwise,
  MatMul: matMul,
  _FusedMatMul: matMul,
  Mean: mean,
  AddV2: add,
  BiasAdd: add,
  Relu: ({ graph, input }) => relu(graph, input(0)),
  Relu6: ({ graph, input }) => relu6(graph, input(0)),
  Softmax: ({ graph, input }) => graph.add('Softmax', [input(0)]),
}

/**
 * Writes a network out as an ONNX model.
 * @returns the bytes of the model
 * @throws InvalidInputError naming the operation that there is no translation for
 */
export function toOnnx(network: Network): Uint8Array {
  const graph = new OnnxGraph()
  const nodes = new Map(network.topology.node.map((node) => [node.name, node]))
  const weights = new Map(weightsOf(network).map((weight) => [weight.name, weight]))
  const input = inputOf(network)
  const translated = new Map([[input.name, graph.input(shapeAttribute(input))]])

  const nodeOf = (name: string): GraphNode => {
    const node = nodes.get(name)
    if (!node) throw new InvalidInputError(`The network has no node ${name}, which is read`)
    return node
  }
  const weightOf = (node: GraphNode): Weight => weights.get(node.name) ?? refuse(node)

  /** Whatever a node reads is translated before it: ONNX wants its nodes in that order. */
  function translate(name: string): string {
    const known = translated.get(name)
    if (known !== undefined) return known
    const node = nodeOf(name)
    const reads = inputsOf(node)
    const operation = operations[node.op] ?? refuse(node)
    const output = operation({
      node,
      graph,
      inputs: reads.length,
      input: (index) => translate(reads[index] ?? ''),
      weight: (index) => weightOf(index === undefined ? node : nodeOf(reads[index] ?? '')),
    })
    translated.set(name, output)
    return output
  }

  return graph.model(outputsOf(network).map(translate))
}
