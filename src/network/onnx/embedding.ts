import { onnx } from 'onnx-proto'
import { InvalidInputError } from '../../errors'
import type { Head } from '../embedding'
import { producersOf } from './read'

/*
 * Replaces the last layer of ONNX classifiers from any exporter, including quantized ones, whose operations are between
 * DequantizeLinear and QuantizeLinear.
 */

/** Operations allowed between the last product and the probabilities: they keep the order, or only change shape or type. */
const afterProduct = [
  'Softmax',
  'LogSoftmax',
  'Sigmoid',
  'Reshape',
  'Squeeze',
  'Unsqueeze',
  'Flatten',
  'Identity',
  'Add',
  'Cast',
  'Dropout',
  'QuantizeLinear',
  'DequantizeLinear',
]
const products = ['MatMul', 'Gemm', 'Conv']

/** Tensors that a node reads, also from within branches and loops. */
const readsOf = ({ input, attribute }: onnx.INodeProto): string[] => [
  ...(input ?? []),
  ...(attribute ?? []).flatMap(({ g }) => (g?.node ?? []).flatMap(readsOf)),
]

/** Resolves dependencies between nodes. */
class Reader {
  readonly #producers: Map<string, onnx.INodeProto>
  readonly #initializers: Map<string, onnx.ITensorProto>

  constructor(graph: onnx.IGraphProto) {
    this.#producers = producersOf(graph)
    this.#initializers = new Map((graph.initializer ?? []).map((tensor) => [tensor.name ?? '', tensor]))
  }

  producer(name: string): onnx.INodeProto | undefined {
    return this.#producers.get(name)
  }

  /** Whether a tensor does not depend on any input of the model. */
  isConstant = (name: string): boolean => {
    if (name === '' || this.#initializers.has(name)) return true
    const node = this.#producers.get(name)
    return node !== undefined && (node.input ?? []).every(this.isConstant)
  }

  /** Shape of a weight, stored or derived from a stored one. */
  lengths(name: string): number[] {
    const stored = this.#initializers.get(name)
    if (stored) return (stored.dims ?? []).map(Number)
    const [first] = this.#producers.get(name)?.input ?? []
    return first === undefined ? [] : this.lengths(first)
  }

  /** Everything that a tensor depends on: nodes, and names of tensors. */
  dependenciesOf(name: string): { nodes: Set<onnx.INodeProto>; names: Set<string> } {
    const nodes = new Set<onnx.INodeProto>()
    const names = new Set<string>()
    const rest = [name]
    for (let next = rest.pop(); next !== undefined; next = rest.pop()) {
      if (names.has(next)) continue
      names.add(next)
      const node = this.#producers.get(next)
      if (!node) continue
      nodes.add(node)
      rest.push(...readsOf(node))
    }
    return { nodes, names }
  }
}

/** @returns the tensor that the last product reads */
function beforeLastProduct(reader: Reader, name: string): string {
  const node = reader.producer(name)
  const { opType = '', input = [] } = node ?? {}
  const [first = ''] = input ?? []
  const given = (input ?? []).filter((one) => !reader.isConstant(one))
  const isOne = given.length === 1 && given[0] === first
  const isOnePixel =
    opType !== 'Conv' ||
    reader
      .lengths(input?.[1] ?? '')
      .slice(2)
      .join() === '1,1'
  if (isOne && isOnePixel && products.includes(opType ?? '')) return first
  if (given.length === 1 && afterProduct.includes(opType ?? ''))
    return beforeLastProduct(reader, given[0] ?? '')
  throw new InvalidInputError(
    'model_unsupported',
    `The model ends in ${opType || 'nothing'} (${name}), not in a matrix product that can be replaced`,
    { hint: 'Choose another base with --model: most image classifiers end in a dense layer.' },
  )
}

/** The tensor before quantization, which the new head does not need. */
function unrounded(reader: Reader, name: string): string {
  const [rounded = ''] = inputOfType(reader, name, 'DequantizeLinear')
  const [before = name] = inputOfType(reader, rounded, 'QuantizeLinear')
  return before
}

function inputOfType(reader: Reader, name: string, type: string): string[] {
  const { opType, input } = reader.producer(name) ?? {}
  return opType === type ? (input ?? []) : []
}

/**
 * A classifier up to its embedding, see {@link embeddingNetwork}.
 * @throws InvalidInputError if it does not end in a matrix product
 */
export function cutOnnx(model: onnx.ModelProto): onnx.ModelProto {
  const graph = model.graph ?? {}
  const [output, ...others] = graph.output ?? []
  if (!output || others.length > 0)
    throw new InvalidInputError(
      'model_unsupported',
      `Expected a model with one output, found ${graph.output?.length ?? 0}`,
    )
  const reader = new Reader(graph)
  const vector = unrounded(reader, beforeLastProduct(reader, output.name ?? ''))
  const { nodes, names } = reader.dependenciesOf(vector)
  return withGraph(model, {
    ...graph,
    node: (graph.node ?? []).filter((node) => nodes.has(node)),
    initializer: (graph.initializer ?? []).filter(({ name }) => names.has(name ?? '')),
    output: [floats(vector)],
  })
}

const floats = (name: string): onnx.IValueInfoProto => ({
  name,
  type: { tensorType: { elemType: onnx.TensorProto.DataType.FLOAT } },
})

/** Drops inferred information about intermediate tensors, some of which are gone. */
const withGraph = (model: onnx.ModelProto, graph: onnx.IGraphProto): onnx.ModelProto =>
  onnx.ModelProto.create({ ...model, graph: { ...graph, valueInfo: [] } })

const constant = (name: string, dims: number[], values: Float32Array): onnx.ITensorProto => ({
  name,
  dims,
  dataType: onnx.TensorProto.DataType.FLOAT,
  rawData: new Uint8Array(values.buffer, values.byteOffset, values.byteLength),
})

/** Adds a head to an embedding model. */
export function withOnnxHead(model: onnx.ModelProto, { kernel, bias }: Head): onnx.ModelProto {
  const graph = model.graph ?? {}
  const [vector = ''] = (graph.output ?? []).map(({ name }) => name ?? '')
  const taken = new Set((graph.node ?? []).flatMap(({ output }) => output ?? []))
  const named = (name: string): string => (taken.has(name) ? named(`${name}_`) : name)
  const [flat, logits, probabilities] = ['taught/vector', 'taught/logits', 'taught/probabilities'].map(
    named,
  ) as [string, string, string]
  const [kernelName, biasName] = ['taught/kernel', 'taught/bias'] as const
  const axis = { name: 'axis', type: onnx.AttributeProto.AttributeType.INT, i: 1 }
  return withGraph(model, {
    ...graph,
    node: [
      ...(graph.node ?? []),
      // Some networks output the vector as an image of one pixel.
      { opType: 'Flatten', input: [vector], output: [flat], attribute: [axis] },
      { opType: 'Gemm', input: [flat, kernelName, biasName], output: [logits] },
      { opType: 'Softmax', input: [logits], output: [probabilities], attribute: [axis] },
    ],
    initializer: [
      ...(graph.initializer ?? []),
      constant(kernelName, [kernel.length / bias.length, bias.length], kernel),
      constant(biasName, [bias.length], bias),
    ],
    output: [floats(probabilities)],
  })
}
