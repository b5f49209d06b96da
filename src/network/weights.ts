import { joined, tensorsOf, type WeightSpec, type Weights } from '../model-folder/graph-model'
import { halfValues, toFloat16 } from './float16'

/** A weight tensor, as stored. */
export interface Weight extends Pick<WeightSpec, 'name' | 'shape' | 'dtype'> {
  stored: 'float32' | 'int32' | 'float16' | 'uint16' | 'uint8' | 'bool'
  /** Little-endian; a view, not a copy. */
  bytes: Uint8Array
  /** For stored `uint8` and `uint16`: the value is `min + scale × stored`. */
  scale: number
  min: number
}

/**
 * Splits the weights of a network into tensors.
 * @throws InvalidInputError see {@link tensorsOf}
 */
export function weightsOf(stored: Weights): Weight[] {
  const tensors = tensorsOf(stored)
  return stored.weightSpecs.map(({ name, shape, dtype, quantization }, index) => {
    const { scale = 1, min = 0 } = quantization ?? {}
    const type = (quantization?.dtype ?? dtype) as Weight['stored']
    return { name, shape, dtype, stored: type, bytes: tensors[index] as Uint8Array, scale, min }
  })
}

/** Inverse of {@link weightsOf}. */
export function storedWeights(weights: Weight[]): Weights {
  return { weightSpecs: weights.map(specOf), weights: joined(weights.map(({ bytes }) => bytes)) }
}

function specOf({ name, shape, dtype, stored, scale, min }: Weight): WeightSpec {
  if (stored === dtype) return { name, shape, dtype }
  const widened = stored as NonNullable<WeightSpec['quantization']>['dtype']
  const quantization = stored === 'float16' ? { dtype: widened } : { dtype: widened, scale, min }
  return { name, shape, dtype, quantization }
}

/** A weight from values in memory. */
export function weightOf(name: string, shape: number[], values: Float32Array | Int32Array): Weight {
  const dtype = values instanceof Int32Array ? 'int32' : 'float32'
  const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength)
  return { name, shape, dtype, stored: dtype, bytes, scale: 1, min: 0 }
}

/** As {@link weightOf}, rounded to and stored as float16. */
export function halfWeightOf(name: string, shape: number[], values: Float32Array | Float64Array): Weight {
  const view = new DataView(new ArrayBuffer(values.length * 2))
  values.forEach((value, index) => void view.setUint16(2 * index, toFloat16(value), true))
  const bytes = new Uint8Array(view.buffer)
  return { name, shape, dtype: 'float32', stored: 'float16', bytes, scale: 1, min: 0 }
}

/** Values of a small integer tensor. */
export function integersOf({ bytes }: Weight): number[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  return Array.from({ length: bytes.length / 4 }, (_, index) => view.getInt32(index * 4, true))
}

/** Values of a tensor as float32. */
export function floatsOf({ bytes, stored, scale, min }: Weight): Float32Array<ArrayBuffer> {
  // Typed arrays must be aligned to their element size; shards are not.
  const { buffer } = bytes.slice()
  if (stored === 'float32') return new Float32Array(buffer)
  const integers = stored === 'uint8' ? new Uint8Array(buffer) : new Uint16Array(buffer)
  const values = new Float32Array(integers.length)
  // A loop, because Float32Array.from takes twenty times as long, for millions of values.
  if (stored === 'float16') {
    const table = halfValues()
    for (let i = 0; i < values.length; i++) values[i] = table[integers[i] as number] as number
  } else {
    for (let i = 0; i < values.length; i++) values[i] = min + scale * (integers[i] as number)
  }
  return values
}
