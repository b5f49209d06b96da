import { InvalidInputError } from '../../../src/errors'
import {
  type GraphNode,
  inputsOf,
  integersAttribute,
  type Network,
  textsAttribute,
} from '../../../src/network/graph'
import { OnnxGraph } from '../../../src/network/onnx/graph'
import { floatsOf, type Weight, weightsOf } from '../../../src/network/weights'
import { transpose } from '../weights'
import type { Calibration } from './calibration'
import { type ByteScale, byteScaleOf, quantiseLayer } from './quantise'

/** Scale of pixels, which are bytes already: `(value − 127) / 128`. */
const pixelScale: ByteScale = { scale: 1 / 128, zeroPoint: 127 }

const bytesOf = ({ buffer }: Int8Array | Int32Array | Float32Array): Uint8Array =>
  new Uint8Array(buffer as ArrayBuffer)

/** ONNX Runtime for Node requires scalars; it rejects vectors of length 1. */
const scaleAndZero = (graph: OnnxGraph, { scale, zeroPoint }: ByteScale): string[] => [
  graph.scalar(scale),
  graph.constant('uint8', [], Uint8Array.of(zeroPoint)),
]

/** Axis permutation of kernels from TensorFlow to ONNX, where output channels come first. */
const kernelAxes: Record<string, number[]> = {
  _FusedConv2D: [3, 2, 0, 1],
  FusedDepthwiseConv2dNative: [2, 3, 0, 1],
  _FusedMatMul: [1, 0],
}

/**
 * Writes an EfficientNet-Lite as an int8 ONNX model: activations are unsigned bytes, weights signed ones. Operations are between
 * DequantizeLinear and QuantizeLinear, as runtimes expect, and NCHW; `image` is `[n, size, size, 3]` in uint8, raw pixels.
 *
 * @throws InvalidInputError if the calibration is of another network, or for an operation that EfficientNet-Lite does not have
 */
export function writeInt8(network: Network, calibration: Calibration): Uint8Array {
  const graph = new OnnxGraph()
  const weights = new Map(weightsOf(network).map((weight) => [weight.name, weight]))
  const tensors = new Map<string, string>()

  const measured = (name: string) => {
    const found = calibration[name]
    if (!found) throw new InvalidInputError('bad_model', `Expected ${name} in the calibration`)
    return found
  }
  const scaleOf = (name: string): ByteScale =>
    name === 'image' ? pixelScale : byteScaleOf(measured(name).range)
  const tensorOf = (name = ''): string => tensors.get(name) ?? ''
  const weightOf = (name = ''): Weight => {
    const weight = weights.get(name)
    if (!weight) throw new InvalidInputError('bad_model', `Expected ${name} to be a weight`)
    return weight
  }

  /** Kernel and bias with their scales. */
  function parameters(node: GraphNode): [kernel: string, bias: string] {
    const [input = '', kernelName, biasName] = inputsOf(node)
    const kernel = weightOf(kernelName)
    const axes = kernelAxes[node.op] ?? []
    const layer = quantiseLayer(
      {
        weights: transpose(Float64Array.from(floatsOf(kernel)), kernel.shape, axes),
        bias: Float64Array.from(floatsOf(weightOf(biasName))),
      },
      { scale: scaleOf(input).scale, means: measured(input).mean, groups: groupsOf(node, kernel) },
    )
    const channels = [layer.bias.length]
    const dequantise = (values: string, scales: Float32Array, ...zeroPoint: string[]): string => {
      const scale = graph.constant('float32', channels, bytesOf(scales))
      return graph.add('DequantizeLinear', [values, scale, ...zeroPoint], { axis: 0 })
    }
    const shape = axes.map((axis) => kernel.shape[axis] ?? 0)
    // Without zero points ONNX Runtime runs dense layers in float32.
    const zeros = graph.constant('int8', channels, new Uint8Array(layer.bias.length))
    return [
      dequantise(graph.constant('int8', shape, bytesOf(layer.weights)), layer.scales, zeros),
      dequantise(graph.constant('int32', channels, bytesOf(layer.bias)), layer.biasScales),
    ]
  }

  /** Adds QuantizeLinear and DequantizeLinear. */
  function quantised({ name }: GraphNode, tensor: string): string {
    const scale = scaleAndZero(graph, scaleOf(name))
    return graph.add('DequantizeLinear', [graph.add('QuantizeLinear', [tensor, ...scale]), ...scale])
  }

  function convolution(node: GraphNode): string {
    const [min, max] = measured(node.name).range
    // If the range of the bytes is within 0–6, relu6 is redundant.
    if (textsAttribute(node, 'fused_ops').includes('Relu6') && (min < 0 || max > 6)) {
      throw new InvalidInputError(
        'bad_model',
        `Expected the range of ${node.name} within 0 and 6, got ${min} to ${max}`,
      )
    }
    const [input, kernel] = inputsOf(node)
    const output = graph.add('Conv', [tensorOf(input), ...parameters(node)], {
      auto_pad: 'SAME_UPPER',
      group: groupsOf(node, weightOf(kernel)),
      strides: integersAttribute(node, 'strides').slice(1, 3),
    })
    return quantised(node, output)
  }

  function image({ name }: GraphNode): string {
    const pixels = graph.input(name, [-1, network.size, network.size, 3], 'uint8')
    const planes = graph.add('Transpose', [pixels], { perm: [0, 3, 1, 2] })
    return graph.add('DequantizeLinear', [planes, ...scaleAndZero(graph, pixelScale)])
  }

  function mean(node: GraphNode, input: string): string {
    const pooled = graph.add('Flatten', [graph.add('GlobalAveragePool', [input])], { axis: 1 })
    return quantised(node, pooled)
  }

  const operations: Record<string, (node: GraphNode, ...inputs: string[]) => string> = {
    Placeholder: image,
    _FusedConv2D: convolution,
    FusedDepthwiseConv2dNative: convolution,
    AddV2: (node, left = '', right = '') => quantised(node, graph.add('Add', [left, right])),
    Mean: mean,
    _FusedMatMul: (node, input = '') => graph.add('Gemm', [input, ...parameters(node)], { transB: 1 }),
    Softmax: (_, input = '') => graph.add('Softmax', [input], { axis: 1 }),
  }
  const nodes = network.topology.node.filter(({ op }) => op !== 'Const')
  for (const node of nodes) {
    const operation = operations[node.op]
    if (!operation)
      throw new InvalidInputError('bad_model', `Unsupported operation ${node.op} (${node.name})`)
    tensors.set(node.name, operation(node, ...inputsOf(node).map(tensorOf)))
  }
  const { name = '' } = nodes.at(-1) ?? {}
  const classes = weights.get('logits/bias')?.shape ?? []
  return graph.model([{ tensor: tensorOf(name), name, shape: [-1, ...classes] }])
}

const groupsOf = ({ op }: GraphNode, { shape: [, , channels = 1] }: Weight): number =>
  op === 'FusedDepthwiseConv2dNative' ? channels : 1
