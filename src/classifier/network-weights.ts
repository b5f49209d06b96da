import { InvalidInputError } from '../errors'
import type { Network, WeightSpec } from './network'

/** The parts of a network that {@link Weight}s are read from. */
type Stored = Pick<Network, 'weightSpecs' | 'weights'>

/** One tensor of the weights, as it is stored. */
export interface Weight extends Pick<WeightSpec, 'name' | 'shape' | 'dtype'> {
  stored: 'float32' | 'int32' | 'float16' | 'uint16' | 'uint8' | 'bool'
  /** Little-endian; a view, not a copy. */
  bytes: Uint8Array
  /** A stored `uint8` or `uint16` stands for `min + scale × value`. */
  scale: number
  min: number
}

const bytesPerValue: Record<string, number> = {
  float32: 4,
  int32: 4,
  float16: 2,
  uint16: 2,
  uint8: 1,
  bool: 1,
}

/**
 * Tells the tensors of a network's weights apart.
 * @throws InvalidInputError when there are too few bytes or too many, or a tensor does not hold numbers
 */
export function weightsOf({ weightSpecs, weights }: Stored): Weight[] {
  let offset = 0
  const found = weightSpecs.map(({ name, shape, dtype, quantization }) => {
    const stored = quantization?.dtype ?? dtype
    const size = bytesPerValue[stored]
    if (size === undefined) throw new InvalidInputError(`The weight ${name} is of an unknown type: ${stored}`)
    const end = offset + shape.reduce((product, length) => product * length, size)
    if (end > weights.length) throw new InvalidInputError(`The weights end within ${name}`)
    const bytes = weights.subarray(offset, end)
    offset = end
    const { scale = 1, min = 0 } = quantization ?? {}
    return { name, shape, dtype, stored: stored as Weight['stored'], bytes, scale, min }
  })
  const left = weights.length - offset
  if (left > 0) throw new InvalidInputError(`The weights go on for ${left} bytes after their last tensor`)
  return found
}

/** The opposite of {@link weightsOf}. */
export function storedWeights(weights: Weight[]): Stored {
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

/** In a buffer of their own, which engines may take as it is: Node's own concat may cut a piece of a larger one. */
export function joined(pieces: Uint8Array[]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(pieces.reduce((sum, { length }) => sum + length, 0))
  let offset = 0
  for (const piece of pieces) {
    bytes.set(piece, offset)
    offset += piece.length
  }
  return bytes
}

/** The values of a small tensor of integers. */
export function integersOf({ bytes }: Weight): number[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  return Array.from({ length: bytes.length / 4 }, (_, index) => view.getInt32(index * 4, true))
}

/** The number whose IEEE 754 binary16 bits these are. */
function float16(bits: number): number {
  const [exponent, fraction] = [(bits >> 10) & 31, bits & 1023]
  const magnitude =
    exponent === 31
      ? fraction === 0
        ? Number.POSITIVE_INFINITY
        : Number.NaN
      : exponent === 0
        ? fraction * 2 ** -24
        : (1024 + fraction) * 2 ** (exponent - 25)
  return bits & 0x8000 ? -magnitude : magnitude
}

/** What each pattern of 16 bits stands for; made when it is first needed. */
let halves: Float32Array | undefined

function halfValues(): Float32Array {
  halves ??= Float32Array.from({ length: 65536 }, (_, bits) => float16(bits))
  return halves
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
