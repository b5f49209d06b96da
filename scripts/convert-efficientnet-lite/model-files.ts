import type { GraphNode } from '../../src/classifier/network'
import { endpoint } from '../../src/classifier/network-builder'
import { joined } from '../../src/classifier/network-weights'
import { InvalidInputError } from '../../src/errors'
import { modelFiles } from '../../src/models/write'
import { classCount, imageSize } from './architecture'
import type { GraphBuilder, GraphWeight } from './graph'
import { inputName, outputName } from './network'

const roundHalfToEven = (value: number): number => {
  const floor = Math.floor(value)
  const rest = value - floor
  return rest > 0.5 || (rest === 0.5 && floor % 2 === 1) ? floor + 1 : floor
}

/** The IEEE 754 binary16 nearest to `value`, as its 16 bits. */
export function toFloat16(value: number): number {
  const magnitude = Math.abs(value)
  // 65,504 is the largest; from half a step beyond it rounding would give infinity.
  if (!(magnitude < 65_520))
    throw new InvalidInputError(`Expected a weight within the range of float16, got ${value}`)
  const sign = value < 0 ? 0x8000 : 0
  const exponent = Math.max(Math.floor(Math.log2(magnitude)), -14)
  // In steps of the last of the ten fraction bits a normal number is 1,024 or more: it carries into the exponent.
  const steps = roundHalfToEven(magnitude / 2 ** (exponent - 10))
  return sign | (((exponent + 14) << 10) + steps)
}

function encode({ values }: GraphWeight): Uint8Array {
  const bytesPerElement = values instanceof Int32Array ? 4 : 2
  const view = new DataView(new ArrayBuffer(values.length * bytesPerElement))
  values.forEach((value, index) => {
    if (bytesPerElement === 4) view.setInt32(4 * index, value, true)
    else view.setUint16(2 * index, toFloat16(value), true)
  })
  return new Uint8Array(view.buffer)
}

const specOf = ({ name, shape, values }: GraphWeight) =>
  values instanceof Int32Array
    ? { name, shape, dtype: 'int32' as const }
    : {
        name,
        shape,
        dtype: 'float32' as const,
        quantization: { dtype: 'float16' as const, original_dtype: 'float32' },
      }

/** `model.json` and the weight shards of a graph, by file name. */
export const graphFiles = ({ nodes, weights }: GraphBuilder): Map<string, Uint8Array> =>
  modelFiles(
    {
      // A node that reads nothing says so by leaving its input out. TF.js reads the versions without looking for them.
      topology: { node: nodes as GraphNode[], library: {}, versions: {} },
      signature: {
        inputs: { [inputName]: endpoint(inputName, [imageSize, imageSize, 3]) },
        outputs: { [outputName]: endpoint(outputName, [classCount]) },
      },
      weightSpecs: weights.map(specOf),
      weights: joined(weights.map(encode)),
    },
    'whisklens convert-efficientnet-lite',
  )
