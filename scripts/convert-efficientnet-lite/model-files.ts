import { InvalidInputError } from '../../src/errors'
import { classCount, imageSize } from './architecture'
import { endpoint, type GraphBuilder, type GraphWeight } from './graph'
import { inputName, outputName } from './network'

/** The size TF.js converters use, so that browsers can cache and load shards side by side. */
const shardBytes = 4 * 1024 * 1024

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

const manifestEntry = ({ name, shape, values }: GraphWeight) =>
  values instanceof Int32Array
    ? { name, shape, dtype: 'int32' }
    : { name, shape, dtype: 'float32', quantization: { dtype: 'float16', original_dtype: 'float32' } }

/** `model.json` and the weight shards of a graph, by file name. */
export function modelFiles({ nodes, weights }: GraphBuilder): Map<string, Uint8Array> {
  const data = Buffer.concat(weights.map(encode))
  const count = Math.ceil(data.length / shardBytes)
  const paths = Array.from({ length: count }, (_, index) => `group1-shard${index + 1}of${count}.bin`)
  const model = {
    format: 'graph-model',
    generatedBy: 'whisklens convert-efficientnet-lite',
    convertedBy: 'whisklens convert-efficientnet-lite',
    signature: {
      inputs: { [inputName]: endpoint(inputName, [-1, imageSize, imageSize, 3]) },
      outputs: { [outputName]: endpoint(outputName, [-1, classCount]) },
    },
    // TF.js reads the versions without looking whether they are there.
    modelTopology: { node: nodes, library: {}, versions: {} },
    weightsManifest: [{ paths, weights: weights.map(manifestEntry) }],
  }
  return new Map<string, Uint8Array>([
    ['model.json', Buffer.from(`${JSON.stringify(model)}\n`)],
    ...paths.map((path, index): [string, Uint8Array] => [
      path,
      data.subarray(index * shardBytes, (index + 1) * shardBytes),
    ]),
  ])
}
