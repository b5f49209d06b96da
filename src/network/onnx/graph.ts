import { onnx } from 'onnx-proto'

/*
 * Writes ONNX models, with the definition of the package onnx-proto.
 */

const {
  AttributeProto: { AttributeType },
  TensorProto: { DataType },
} = onnx

/** Value types by their ONNX names. */
export const types = {
  float32: DataType.FLOAT,
  uint8: DataType.UINT8,
  int8: DataType.INT8,
  uint16: DataType.UINT16,
  int32: DataType.INT32,
  int64: DataType.INT64,
  bool: DataType.BOOL,
  float16: DataType.FLOAT16,
}
export type OnnxType = keyof typeof types

/** Operation set: the last one in which ReduceMean's axes are an attribute and Softmax is over one axis. */
const opset = 13
const irVersion = 8

/** Whole numbers are integer attributes; for a float, use `{ float }`. */
export type Attribute = number | { float: number } | string | number[]

function attribute(name: string, value: Attribute): onnx.IAttributeProto {
  if (typeof value === 'number') return { name, type: AttributeType.INT, i: value }
  if (typeof value === 'string') return { name, type: AttributeType.STRING, s: Buffer.from(value) }
  if (Array.isArray(value)) return { name, type: AttributeType.INTS, ints: value }
  return { name, type: AttributeType.FLOAT, f: value.float }
}

/** @param shape with -1 for an axis of any length; undefined if unknown */
function valueInfo(name: string, type: OnnxType, shape?: number[]): onnx.IValueInfoProto {
  const dim = shape?.map((length) => (length < 0 ? { dimParam: 'n' } : { dimValue: length }))
  return { name, type: { tensorType: { elemType: types[type], shape: dim && { dim } } } }
}

const bytesOf = ({ buffer }: Float32Array | BigInt64Array): Uint8Array => new Uint8Array(buffer)

/** An output of the model: a tensor and its external name. */
export interface Output {
  tensor: string
  name: string
  /** With -1 for an axis of any length. */
  shape?: number[]
}

/** Builds an ONNX model node by node. Methods return the name of the tensor they add. */
export class OnnxGraph {
  readonly #nodes: onnx.INodeProto[] = []
  readonly #initializers: onnx.ITensorProto[] = []
  readonly #inputs: onnx.IValueInfoProto[] = []
  #names = 0

  input(name: string, shape?: number[], type: OnnxType = 'float32'): string {
    this.#inputs.push(valueInfo(name, type, shape))
    return name
  }

  /** @param raw values, little-endian */
  constant(type: OnnxType, shape: number[], raw: Uint8Array): string {
    const name = this.#name('constant')
    this.#initializers.push({ name, dims: shape, dataType: types[type], rawData: raw })
    return name
  }

  /** A float32 constant; without a shape, a scalar. */
  floats(values: number[], shape: number[] = []): string {
    return this.constant('float32', shape, bytesOf(Float32Array.from(values)))
  }

  scalar(number: number): string {
    return this.floats([number])
  }

  integers(numbers: number[]): string {
    return this.constant('int64', [numbers.length], bytesOf(BigInt64Array.from(numbers.map(BigInt))))
  }

  add(op: string, inputs: string[], attributes: Record<string, Attribute | undefined> = {}): string {
    const output = this.#name(op)
    const given = Object.entries(attributes).flatMap(([name, value]) =>
      value === undefined ? [] : [attribute(name, value)],
    )
    this.#nodes.push({ opType: op, input: inputs, output: [output], attribute: given })
    return output
  }

  cast(input: string, type: OnnxType): string {
    return this.add('Cast', [input], { to: types[type] })
  }

  /** The encoded model. */
  model(outputs: Output[]): Uint8Array {
    for (const { tensor, name } of outputs)
      this.#nodes.push({ opType: 'Identity', input: [tensor], output: [name] })
    return encode({
      irVersion,
      producerName: 'whisklens',
      opsetImport: [{ version: opset }],
      graph: {
        name: 'network',
        node: this.#nodes,
        initializer: this.#initializers,
        input: this.#inputs,
        output: outputs.map(({ name, shape }) => valueInfo(name, 'float32', shape)),
      },
    })
  }

  #name(prefix: string): string {
    this.#names += 1
    return `${prefix}_${this.#names}`
  }
}

/** Encodes a model. */
export const encode = (model: onnx.IModelProto): Uint8Array => onnx.ModelProto.encode(model).finish()
