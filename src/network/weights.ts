import { joined, tensorsOf, type WeightSpec, type Weights } from '../model-folder/graph-model'
import { halfValues, toFloat16 } from './float16'

/** One tensor of the weights, as it is stored. */
export interface Weight extends Pick<WeightSpec, 'name' | 'shape' | 'dtype'> {
  stored: 'float32' | 'int32' | 'float16' | 'uint16' | 'uint8' | 'bool'
  /** Little-endian; a view, not a copy. */
  bytes: Uint8Array
  /** A stored `uint8` or `uint16` stands for `min + scale × value`. */
  scale: number
  min: number
}

/**
 * Tells the tensors of a network's weights apart.
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

/** The opposite of {@link weightsOf}. */
export function storedWeights(weights: Weight[]): Weights {
  return { weightSpecs: weights.map(specOf), weights: joined(weights.map(({ bytes }) => bytes)) }
}

function specOf({ name, shape, dtype, stored, scale, min }: Weight): WeightSpec {
  if (stored === dtype) return { name, shape, dtype }
  const widened = stored as NonNullable<WeightSpec['quantization']>['dtype']
  const quantization = stored === 'float16' ? { dtype: widened } : { dtype: widened, scale, min }
  return { name, shape, dtype, quantization }
}

/** A tensor of values that are in memory. */
export function weightOf(name: string, shape: number[], values: Float32Array | Int32Array): Weight {
  const dtype = values instanceof Int32Array ? 'int32' : 'float32'
  const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength)
  return { name, shape, dtype, stored: dtype, bytes, scale: 1, min: 0 }
}

/** As {@link weightOf}, each value rounded to 16 bits, as which they are stored. */
export function halfWeightOf(name: string, shape: number[], values: Float32Array | Float64Array): Weight {
  const view = new DataView(new ArrayBuffer(values.length * 2))
  values.forEach((value, index) => void view.setUint16(2 * index, toFloat16(value), true))
  const bytes = new Uint8Array(view.buffer)
  return { name, shape, dtype: 'float32', stored: 'float16', bytes, scale: 1, min: 0 }
}

/** The values of a small tensor of integers. */
export function integersOf({ bytes }: Weight): number[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  return Array.from({ length: bytes.length / 4 }, (_, index) => view.getInt32(index * 4, true))
}

/** The values of a tensor of float32, widened from how they are stored. */
export function floatsOf({ bytes, stored, scale, min }: Weight): Float32Array<ArrayBuffer> {
  // Typed arrays begin at a multiple of their values' size, and shards do not.
  const { buffer } = bytes.slice()
  if (stored === 'float32') return new Float32Array(buffer)
  const integers = stored === 'uint8' ? new Uint8Array(buffer) : new Uint16Array(buffer)
  const values = new Float32Array(integers.length)
  // Loops: Float32Array.from takes twenty times as long, and there are millions.
  if (stored === 'float16') {
    const table = halfValues()
    for (let i = 0; i < values.length; i++) values[i] = table[integers[i] as number] as number
  } else {
    for (let i = 0; i < values.length; i++) values[i] = min + scale * (integers[i] as number)
  }
  return values
}
