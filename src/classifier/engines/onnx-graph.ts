import { bytes, integer, type Message, repeated } from './protobuf'

/*
 * Writes ONNX models. The numbers of fields and types are those of onnx.proto3.
 */

/** TensorProto.DataType */
const types = { float32: 1, uint8: 2, uint16: 4, int32: 6, int64: 7, bool: 9, float16: 10 }
export type OnnxType = keyof typeof types

/** AttributeProto.AttributeType */
const attributeTypes = { integer: 2, string: 3, integers: 7 }

/** The operations' versions: the last in which ReduceMean's axes are an attribute, and Softmax is over one axis. */
const opset = 13
const irVersion = 8

type Attribute = number | string | number[]

function attribute(name: string, value: Attribute): Message {
  const named = bytes(1, name)
  if (typeof value === 'number')
    return [...named, ...integer(3, value), ...integer(20, attributeTypes.integer)]
  if (typeof value === 'string') return [...named, ...bytes(4, value), ...integer(20, attributeTypes.string)]
  return [...named, ...repeated(integer, 8, value), ...integer(20, attributeTypes.integers)]
}

/** ValueInfoProto of a float32 tensor. @param shape with -1 for an axis of any length; undefined when not known */
function value(name: string, shape?: number[]): Message {
  const dimension = (length: number): Message => (length < 0 ? [] : integer(1, length))
  const shaped = shape ? bytes(2, repeated(bytes, 1, shape.map(dimension))) : []
  return [...bytes(1, name), ...bytes(2, bytes(1, [...integer(1, types.float32), ...shaped]))]
}

/** Builds an ONNX model node by node; every method returns the name of the tensor it added. */
export class OnnxGraph {
  #nodes: Message[] = []
  #initializers: Message[] = []
  #inputs: Message[] = []
  #names = 0

  input(shape?: number[]): string {
    const name = this.#name('input')
    this.#inputs.push(value(name, shape))
    return name
  }

  /** @param raw the values, little-endian */
  constant(type: OnnxType, shape: number[], raw: Uint8Array): string {
    const name = this.#name('constant')
    this.#initializers.push([
      ...repeated(integer, 1, shape),
      ...integer(2, types[type]),
      ...bytes(8, name),
      ...bytes(9, raw),
    ])
    return name
  }

  scalar(number: number): string {
    return this.constant('float32', [], new Uint8Array(Float32Array.of(number).buffer))
  }

  integers(numbers: number[]): string {
    return this.constant(
      'int64',
      [numbers.length],
      new Uint8Array(BigInt64Array.from(numbers.map(BigInt)).buffer),
    )
  }

  add(op: string, inputs: string[], attributes: Record<string, Attribute | undefined> = {}): string {
    const output = this.#name(op)
    const given = Object.entries(attributes).flatMap(([name, value]) =>
      value === undefined ? [] : [attribute(name, value)],
    )
    this.#nodes.push([
      ...repeated(bytes, 1, inputs),
      ...bytes(2, output),
      ...bytes(4, op),
      ...repeated(bytes, 5, given),
    ])
    return output
  }

  cast(input: string, type: OnnxType): string {
    return this.add('Cast', [input], { to: types[type] })
  }

  /** ModelProto in bytes. */
  model(outputs: string[]): Uint8Array {
    const graph = [
      ...repeated(bytes, 1, this.#nodes),
      ...bytes(2, 'network'),
      ...repeated(bytes, 5, this.#initializers),
      ...repeated(bytes, 11, this.#inputs),
      ...repeated(
        bytes,
        12,
        outputs.map((name) => value(name)),
      ),
    ]
    return Buffer.concat([...integer(1, irVersion), ...bytes(7, graph), ...bytes(8, integer(2, opset))])
  }

  #name(prefix: string): string {
    this.#names += 1
    return `${prefix}_${this.#names}`
  }
}
