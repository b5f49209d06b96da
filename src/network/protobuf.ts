/** A protobuf message, or some of its fields, in pieces: megabytes of weights are copied once, when all is put together. */
export type Message = Uint8Array[]

/** An integer as protobuf writes it: seven bits a byte, lowest first; negative ones as 64-bit two's complement. */
function varint(value: number): Uint8Array {
  if (value >= 0 && value <= 0x7f) return Uint8Array.of(value)
  const bytes: number[] = []
  let rest = BigInt.asUintN(64, BigInt(value))
  for (; rest > 0x7fn; rest >>= 7n) bytes.push(Number(rest & 0x7fn) | 0x80)
  return Uint8Array.from([...bytes, Number(rest)])
}

const tag = (field: number, wireType: number): Uint8Array => varint(field * 8 + wireType)

/** A field of type int32, int64, bool or an enum. */
export const integer = (field: number, value: number): Message => [tag(field, 0), varint(value)]

/** A field of type float. */
export const float = (field: number, value: number): Message => [
  tag(field, 5),
  new Uint8Array(Float32Array.of(value).buffer),
]

/** A field of type bytes, string or another message. */
export function bytes(field: number, value: string | Uint8Array | Message): Message {
  const pieces = typeof value === 'string' ? [Buffer.from(value)] : Array.isArray(value) ? value : [value]
  return [tag(field, 2), varint(pieces.reduce((sum, { length }) => sum + length, 0)), ...pieces]
}

/** A field that occurs once for each value. */
export const repeated = <T>(
  write: (field: number, value: T) => Message,
  field: number,
  values: T[],
): Message => values.flatMap((value) => write(field, value))
