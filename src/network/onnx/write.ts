import { InvalidInputError } from '../../errors'
import {
  flagAttribute,
  type GraphNode,
  inputOf,
  inputsOf,
  integersAttribute,
  type Network,
  numberAttribute,
  outputShape,
  outputsOf,
  shapeAttribute,
  textAttribute,
} from '../graph'
import { integersOf, type Weight, weightsOf } from '../weights'
import { OnnxGraph } from './graph'
import { activate, activations, allInputs, type Place, refuse, type Translate } from './place'
import { convolution, depthwise, pool } from './window'

/*
 * Converts a TensorFlow.js network to ONNX, node by node. Tensors stay NHWC; each convolution, which ONNX has for NCHW only, gets a
 * Transpose before and after. ONNX Runtime removes those in pairs, and folds constants such as the widening of float16.
 */

function matMul(place: Place): string {
  const { node, graph } = place
  const [transA, transB] = ['transpose_a', 'transpose_b'].map((name) => Number(flagAttribute(node, name)))
  return activate(place, graph.add('Gemm', allInputs(place), { transA, transB }))
}

const reduce =
  (op: string): Translate =>
  ({ node, graph, input, weight }) => {
    const axes = integersOf(weight(1))
    return graph.add(op, [input(0)], { axes, keepdims: Number(flagAttribute(node, 'keep_dims')) })
  }

/** Its parameters are constant, so ONNX Runtime folds it into one factor and one term. */
function batchNorm(place: Place): string {
  const { node, graph } = place
  if (textAttribute(node, 'data_format') === 'NCHW') return refuse(node, 'the format')
  if (node.attr.is_training?.b === true) return refuse(node, 'the training')
  const [image = '', gamma = '', beta = '', mean = '', variance = ''] = allInputs(place)
  const epsilon = graph.scalar(numberAttribute(node, 'epsilon') ?? 1e-4)
  const deviation = graph.add('Sqrt', [graph.add('Add', [variance, epsilon])])
  const scale = graph.add('Div', [gamma, deviation])
  const shift = graph.add('Sub', [beta, graph.add('Mul', [mean, scale])])
  return graph.add('Add', [graph.add('Mul', [image, scale]), shift])
}

/** TensorFlow stores padding per axis, ONNX all starts before all ends. */
function pad({ graph, input, weight }: Place): string {
  const ends = integersOf(weight(1))
  const [begins, closes] = [0, 1].map((end) => ends.filter((_, index) => index % 2 === end))
  return graph.add('Pad', [input(0), graph.integers([...(begins ?? []), ...(closes ?? [])])])
}

const reshape: Translate = ({ graph, input, weight }) =>
  graph.add('Reshape', [input(0), graph.integers(integersOf(weight(1)))])

function squeeze({ node, graph, input }: Place): string {
  const axes = integersAttribute(node, 'squeeze_dims')
  return graph.add('Squeeze', [input(0), ...(axes.length > 0 ? [graph.integers(axes)] : [])])
}

/** The axis is the last input. */
function concat(place: Place): string {
  const inputs = place.inputs - 1
  const [axis] = integersOf(place.weight(inputs))
  return place.graph.add('Concat', allInputs({ ...place, inputs }), { axis })
}

function leakyRelu({ node, graph, input }: Place): string {
  const slope = graph.scalar(numberAttribute(node, 'alpha') ?? 0.2)
  return graph.add('PRelu', [input(0), slope])
}

/** A weight as stored, widened within the graph. */
function constant({ graph, weight }: Place): string {
  const { dtype, stored, shape, bytes, scale, min } = weight()
  const raw = graph.constant(stored, shape, bytes)
  if (stored === dtype || dtype !== 'float32') return raw
  const widened = graph.cast(raw, 'float32')
  if (stored === 'float16') return widened
  return graph.add('Add', [graph.add('Mul', [widened, graph.scalar(scale)]), graph.scalar(min)])
}

/** Operations that differ only in name. */
const elementwise =
  (op: string): Translate =>
  (place) =>
    place.graph.add(op, allInputs(place))

const operations: Record<string, Translate> = {
  Const: constant,
  Identity: ({ input }) => input(0),
  Conv2D: convolution,
  _FusedConv2D: convolution,
  DepthwiseConv2dNative: depthwise,
  FusedDepthwiseConv2dNative: depthwise,
  MatMul: matMul,
  _FusedMatMul: matMul,
  Mean: reduce('ReduceMean'),
  Max: reduce('ReduceMax'),
  MaxPool: pool('MaxPool'),
  AvgPool: pool('AveragePool'),
  FusedBatchNorm: batchNorm,
  FusedBatchNormV3: batchNorm,
  Pad: pad,
  Reshape: reshape,
  Squeeze: squeeze,
  ConcatV2: concat,
  Add: elementwise('Add'),
  AddV2: elementwise('Add'),
  BiasAdd: elementwise('Add'),
  Sub: elementwise('Sub'),
  Mul: elementwise('Mul'),
  RealDiv: elementwise('Div'),
  Maximum: elementwise('Max'),
  Minimum: elementwise('Min'),
  LeakyRelu: leakyRelu,
}

function translationOf(op: string): Translate | undefined {
  const activation = activations.get(op)
  if (activation) return ({ graph, input }) => activation(graph, input(0))
  return Object.hasOwn(operations, op) ? operations[op] : undefined
}

/**
 * Converts a network to an ONNX model.
 * @returns the encoded model
 * @throws InvalidInputError naming an unsupported operation
 */
export function toOnnx(network: Network): Uint8Array {
  const graph = new OnnxGraph()
  const nodes = new Map(network.topology.node.map((node) => [node.name, node]))
  const weights = new Map(weightsOf(network).map((weight) => [weight.name, weight]))
  const input = inputOf(network)
  const translated = new Map([[input.name, graph.input(input.name, shapeAttribute(input))]])

  const nodeOf = (name: string): GraphNode => {
    const node = nodes.get(name)
    if (!node) throw new InvalidInputError('bad_model', `A node reads ${name}, which does not exist`)
    return node
  }
  const weightOf = (node: GraphNode): Weight => weights.get(node.name) ?? refuse(node)

  /** Translates the inputs of a node first: ONNX requires topological order. */
  function translate(name: string): string {
    const known = translated.get(name)
    if (known !== undefined) return known
    const node = nodeOf(name)
    const reads = inputsOf(node)
    const operation = translationOf(node.op) ?? refuse(node)
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

  return graph.model(
    outputsOf(network).map((name) => ({ tensor: translate(name), name, shape: outputShape(network, name) })),
  )
}
