import { InvalidInputError } from '../errors'
import type { GraphNode, Network } from './graph'
import { textsAttribute } from './graph'
import { bytes, float, integer, type Message, repeated } from './protobuf'
import { floatsOf, type Weight, weightsOf } from './weights'

/*
 * Writes a TensorFlow.js network out as a SavedModel, its weights as constants of the graph. The numbers of fields and
 * types are those of saved_model.proto, graph.proto, attr_value.proto and types.proto.
 */

const types: Record<string, number> = { DT_FLOAT: 1, DT_INT32: 3, DT_INT64: 9, DT_BOOL: 10 }
const weightTypes: Record<string, number> = { float32: 1, int32: 3, bool: 10 }

/** TensorFlow 2 reads graphs of this version as it writes them. */
const graphVersion = 1000

/** Names the only graph there is in a SavedModel of ours. */
export const graphTag = 'serve'

const fromBase64 = (text: unknown): Uint8Array => Buffer.from(String(text), 'base64')

function shape(sizes: number[]): Message {
  const dimensions = sizes.map((size) => integer(1, size))
  return repeated(bytes, 2, dimensions)
}

/** Fields of AttrValue, by the one member that its JSON has. */
const attributeFields: Record<string, (value: unknown) => Message> = {
  list: (value) => {
    const { s = [], i = [] } = value as { s?: unknown[]; i?: unknown[] }
    return bytes(1, [...repeated(bytes, 2, s.map(fromBase64)), ...repeated(integer, 3, i.map(Number))])
  },
  s: (value) => bytes(2, fromBase64(value)),
  i: (value) => integer(3, Number(value)),
  f: (value) => float(4, Number(value)),
  b: (value) => integer(5, Number(value)),
  type: (value) => integer(6, types[String(value)] ?? 0),
  shape: (value) => {
    const { dim = [] } = value as { dim?: { size?: unknown }[] }
    return bytes(7, shape(dim.map(({ size }) => Number(size))))
  },
}

function attributesOf({ name, op, attr }: GraphNode): Record<string, Message> {
  return Object.fromEntries(
    Object.entries(attr).map(([key, json]) => {
      const [member = '', value] = Object.entries(json)[0] ?? []
      const field = attributeFields[member]
      if (!field) throw new InvalidInputError(`native cannot write ${key} of the operation ${op} (${name})`)
      return [key, field(value)]
    }),
  )
}

/** What a node has of its fusion's making. */
const fusionAttributes = [
  'num_args',
  'num_host_args',
  'fused_ops',
  'epsilon',
  'leakyrelu_alpha',
  'TArgs',
  'filter_format',
]

/** NodeDef, as a field of GraphDef. */
function nodeField(name: string, op: string, inputs: string[], attributes: Record<string, Message>): Message {
  const entries = Object.entries(attributes).map(([key, value]) => [...bytes(1, key), ...bytes(2, value)])
  const fields = [
    ...bytes(1, name),
    ...bytes(2, op),
    ...repeated(bytes, 3, inputs),
    ...repeated(bytes, 5, entries),
  ]
  return bytes(1, fields)
}

/** A constant with its values, which the topology leaves to the weights' files. */
function constant(name: string, weight: Weight | undefined): Message {
  const type = weightTypes[weight?.dtype ?? '']
  if (!weight || type === undefined) throw new InvalidInputError(`There is no weight for the node ${name}`)
  const content = weight.dtype === 'float32' ? new Uint8Array(floatsOf(weight).buffer) : weight.bytes
  const tensor = [...integer(1, type), ...bytes(2, shape(weight.shape)), ...bytes(4, content)]
  return nodeField(name, 'Const', [], { dtype: integer(6, type), value: bytes(8, tensor) })
}

const unfused: Record<string, string> = {
  _FusedConv2D: 'Conv2D',
  FusedDepthwiseConv2dNative: 'DepthwiseConv2dNative',
  _FusedMatMul: 'MatMul',
}

/**
 * A fused operation as the ones it is made of, each on a line of its own: TensorFlow fuses them again as suits the
 * machine. The last has the name of the whole.
 */
function takenApart(node: GraphNode, op: string): Message {
  const { name, input } = node
  const [image = '', kernel = '', ...rest] = input
  const steps = textsAttribute(node, 'fused_ops')
  const own = Object.entries(node.attr).filter(([key]) => !fusionAttributes.includes(key))
  const T = { T: integer(6, types.DT_FLOAT ?? 1) }
  const nameAfter = (step: number) => (step === steps.length ? name : `${name}/unfused_${step}`)
  return [
    ...nodeField(nameAfter(0), op, [image, kernel], attributesOf({ ...node, attr: Object.fromEntries(own) })),
    ...steps.flatMap((step, index) => {
      const more = step === 'BiasAdd' ? rest.slice(0, 1) : []
      return nodeField(nameAfter(index + 1), step, [nameAfter(index), ...more], T)
    }),
  ]
}

/** The bytes of `saved_model.pb`. @throws InvalidInputError when a node is not one that TensorFlow knows */
export function toSavedModel(network: Network): Uint8Array {
  const weights = new Map(weightsOf(network).map((weight) => [weight.name, weight]))
  const nodes = network.topology.node.flatMap((node) => {
    if (node.op === 'Const') return constant(node.name, weights.get(node.name))
    const op = unfused[node.op]
    return op ? takenApart(node, op) : nodeField(node.name, node.op, node.input, attributesOf(node))
  })
  const graph = [...nodes, ...bytes(4, integer(1, graphVersion))]
  const metaGraph = [...bytes(1, bytes(4, graphTag)), ...bytes(2, graph)]
  return Buffer.concat([...integer(1, 1), ...bytes(2, metaGraph)])
}
