import { InvalidInputError } from '../errors'

/** Rounds to the nearest integer, half to even. */
export const roundHalfToEven = (value: number): number => {
  const floor = Math.floor(value)
  const rest = value - floor
  return rest > 0.5 || (rest === 0.5 && floor % 2 === 1) ? floor + 1 : floor
}

/** Bits of the nearest IEEE 754 binary16. @throws InvalidInputError outside its range */
export function toFloat16(value: number): number {
  const magnitude = Math.abs(value)
  // The largest is 65,504; from half a step above, rounding would give infinity.
  if (!(magnitude < 65_520))
    throw new InvalidInputError('bad_model', `Expected a weight within the range of float16, got ${value}`)
  const sign = value < 0 ? 0x8000 : 0
  const exponent = Math.max(Math.floor(Math.log2(magnitude)), -14)
  // In steps of the last fraction bit a normal number is at least 1,024, which carries into the exponent.
  const steps = roundHalfToEven(magnitude / 2 ** (exponent - 10))
  return sign | (((exponent + 14) << 10) + steps)
}

/** Value of IEEE 754 binary16 bits. */
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

/** Built on demand. */
let halves: Float32Array | undefined

/** Values of all 16-bit patterns. */
export function halfValues(): Float32Array {
  halves ??= Float32Array.from({ length: 65536 }, (_, bits) => float16(bits))
  return halves
}
