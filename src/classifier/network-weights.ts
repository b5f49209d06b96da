import { InvalidInputError } from '../errors'
import type { Network, WeightSpec } from './network'

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
 * @throws InvalidInputError when the bytes end too early, or a tensor does not hold numbers
 */
export function weightsOf({ weightSpecs, weights }: Network): Weight[] {
  let offset = 0
  return weightSpecs.map(({ name, shape, dtype, quantization }) => {
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

/** The values of a tensor of float32, widened from how they are stored. */
export function floatsOf({ bytes, stored, scale, min }: Weight): Float32Array {
  // Typed arrays begin at a multiple of their values' size, and shards do not.
  const { buffer } = bytes.slice()
  if (stored === 'float32') return new Float32Array(buffer)
  const integers = stored === 'uint8' ? new Uint8Array(buffer) : new Uint16Array(buffer)
  if (stored !== 'float16') return Float32Array.from(integers, (value) => min + scale * value)
  const values = Float32Array.from({ length: 65536 }, (_, bits) => float16(bits))
  return Float32Array.from(integers, (bits) => values[bits] ?? 0)
}
