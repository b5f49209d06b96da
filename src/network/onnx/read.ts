import { onnx } from 'onnx-proto'
import { InvalidInputError } from '../../errors'

/*
 * Reads ONNX models from any exporter.
 */

/** An input or output of a model. */
export interface OnnxValue {
  name: string
  /** ONNX type name: `FLOAT`, `UINT8`. */
  type: string
  /** Lengths, or names of axes of any length; undefined if not stated. */
  shape?: (number | string)[]
}

/** Facts about a model, from its file. */
export interface OnnxFacts {
  inputs: OnnxValue[]
  outputs: OnnxValue[]
  /** The last operation that computes something. */
  end: string
  /** Metadata written by the exporter. */
  metadata: ReadonlyMap<string, string>
}

/** @throws InvalidInputError if the bytes are not an ONNX model */
export function decode(bytes: Uint8Array): onnx.ModelProto {
  let model: onnx.ModelProto
  try {
    model = onnx.ModelProto.decode(bytes)
  } catch (cause) {
    throw new InvalidInputError('bad_model', 'The file is not an ONNX model, or is truncated', { cause })
  }
  if (!model.graph?.node?.length)
    throw new InvalidInputError('bad_model', 'The file is not an ONNX model: it has no graph')
  return model
}

const typeNames = new Map(
  Object.entries(onnx.TensorProto.DataType).map(([name, number]) => [number as number, name]),
)

function readValue({ name, type }: onnx.IValueInfoProto): OnnxValue {
  const { elemType, shape } = type?.tensorType ?? {}
  return {
    name: name ?? '',
    type: typeNames.get(elemType ?? 0) ?? `type ${elemType}`,
    shape: shape?.dim?.map(({ dimValue, dimParam }) =>
      Number(dimValue ?? 0) > 0 ? Number(dimValue) : dimParam || '?',
    ),
  }
}

export const describeValue = ({ name, type, shape }: OnnxValue): string =>
  `${name} (${type}${shape ? ` [${shape.join(', ')}]` : ''})`

/** Operations that only change shape or type. */
const passing = [
  'Identity',
  'Cast',
  'Reshape',
  'Squeeze',
  'Unsqueeze',
  'Flatten',
  'Dropout',
  'QuantizeLinear',
  'DequantizeLinear',
]

/** Nodes by the tensors that they produce. */
export const producersOf = (graph: onnx.IGraphProto): Map<string, onnx.INodeProto> =>
  new Map((graph.node ?? []).flatMap((node) => (node.output ?? []).map((output) => [output, node] as const)))

function endOf(graph: onnx.IGraphProto): string {
  const producers = producersOf(graph)
  let node = producers.get(graph.output?.[0]?.name ?? '')
  while (node && passing.includes(node.opType ?? '')) node = producers.get(node.input?.[0] ?? '')
  return node?.opType ?? 'nothing'
}

/** Facts about a model. */
export function factsOf({ graph, metadataProps }: onnx.ModelProto): OnnxFacts {
  const { input = [], output = [], initializer = [] } = graph ?? {}
  // Old models list their weights among the inputs.
  const weights = new Set((initializer ?? []).map(({ name }) => name))
  return {
    inputs: (input ?? []).filter(({ name }) => !weights.has(name)).map(readValue),
    outputs: (output ?? []).map(readValue),
    end: endOf(graph ?? {}),
    metadata: new Map(metadataProps.map(({ key, value }) => [key ?? '', value ?? ''])),
  }
}

const { DataLocation } = onnx.TensorProto

/** Tensors of a graph, including those in attributes of its nodes. */
const tensorsOf = ({ initializer, node }: onnx.IGraphProto): onnx.ITensorProto[] => [
  ...(initializer ?? []),
  ...(node ?? []).flatMap(({ attribute }) => (attribute ?? []).flatMap(({ t }) => (t ? [t] : []))),
]

/**
 * Loads external weight files into a model.
 * @param read reads a file by name
 * @returns whether there were any
 * @throws InvalidInputError for a path outside the folder, or a truncated file; errors of `read`
 */
export async function inlineWeights(
  { graph }: onnx.ModelProto,
  read: (name: string) => Promise<Uint8Array>,
): Promise<boolean> {
  const outside = tensorsOf(graph ?? {}).filter(({ dataLocation }) => dataLocation === DataLocation.EXTERNAL)
  const files = new Map<string, Uint8Array>()
  for (const tensor of outside) {
    const entries = new Map((tensor.externalData ?? []).map(({ key, value }) => [key ?? '', value ?? '']))
    const name = entries.get('location') ?? ''
    if (!/^[\w-][\w.-]*$/.test(name)) {
      throw new InvalidInputError(
        'bad_model',
        `The weight ${tensor.name} is in ${JSON.stringify(name)}, expected a file in the same folder`,
      )
    }
    const file = files.get(name) ?? (await read(name))
    files.set(name, file)
    const offset = Number(entries.get('offset') ?? 0)
    const length = Number(entries.get('length') ?? file.length - offset)
    if (!(offset + length <= file.length))
      throw new InvalidInputError('bad_model', `The file ${name} is truncated in the weight ${tensor.name}`)
    tensor.rawData = file.subarray(offset, offset + length)
    tensor.externalData = []
    tensor.dataLocation = DataLocation.DEFAULT
  }
  return outside.length > 0
}
