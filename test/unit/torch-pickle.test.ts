import { readPickle } from '../../scripts/convert-efficientnet-lite/pickle'
import { readTorchCheckpoint, type Tensor } from '../../scripts/convert-efficientnet-lite/torch-pickle'
import { Weights } from '../../scripts/convert-efficientnet-lite/weights'
import { toFloat16 } from '../../src/network/float16'

// Pickles are assembled from opcodes of protocol 2 (PEP 307).
type Part = string | number[] | Buffer

const pickle = (...parts: Part[]): Buffer =>
  Buffer.concat([Buffer.of(0x80, 2), ...parts.map((part) => Buffer.from(part as string)), Buffer.from('.')])

const int64 = (value: number): Buffer => {
  const bytes = Buffer.alloc(8)
  bytes.writeBigInt64LE(BigInt(value))
  return bytes
}
const integer = (value: number): Buffer => {
  const bytes = Buffer.alloc(5, 'J')
  bytes.writeInt32LE(value, 1)
  return bytes
}
const text = (value: string): Buffer => {
  const length = Buffer.alloc(4)
  length.writeUInt32LE(Buffer.byteLength(value))
  return Buffer.concat([Buffer.from('X'), length, Buffer.from(value)])
}
const tuple = (...items: Part[]): Buffer =>
  Buffer.concat(['(', ...items, 't'].map((item) => Buffer.from(item as string)))
const global = (module: string, name: string): string => `c${module}\n${name}\n`

const magic = pickle(Buffer.from('8a0a6cfc9c46f9206aa85019', 'hex'))
const protocol = pickle(integer(1001))
const littleEndian = pickle('}', text('little_endian'), [0x88], 's')
const orderedDict = Buffer.from(`${global('collections', 'OrderedDict')})R`)

interface Stored {
  storage: string
  offset?: number
  shape: number[]
  stride: number[]
}

const tensor = (count: number, { storage, offset = 0, shape, stride }: Stored): Buffer =>
  Buffer.concat([
    Buffer.from(global('torch._utils', '_rebuild_tensor_v2')),
    tuple(
      tuple(
        text('storage'),
        global('torch', 'FloatStorage'),
        text(storage),
        text('cpu'),
        integer(count),
        'N',
      ),
      'Q',
      integer(offset),
      tuple(...shape.map(integer)),
      tuple(...stride.map(integer)),
      [0x89],
      orderedDict,
    ),
    Buffer.from('R'),
  ])

/** A checkpoint of float32 tensors, which are views of storages. */
function checkpoint(tensors: Record<string, Stored>, storages: Record<string, number[]>): Buffer {
  const items = Object.entries(tensors).map(([name, stored]) =>
    Buffer.concat([text(name), tensor(storages[stored.storage]?.length ?? 0, stored)]),
  )
  return Buffer.concat([
    magic,
    protocol,
    littleEndian,
    pickle(orderedDict, '(', ...items, 'u'),
    pickle(']', '(', ...Object.keys(storages).map(text), 'e'),
    ...Object.values(storages).flatMap((values) => [
      int64(values.length),
      Buffer.from(Float32Array.from(values).buffer),
    ]),
  ])
}

const contiguous = { a: { storage: '1', shape: [2, 2], stride: [2, 1] } }

describe('readPickle', () => {
  it('reads nested dicts, tuples and lists of plain values', () => {
    const bytes = pickle(
      '}',
      text('a'),
      tuple(integer(-5), 'N', [0x88]),
      's',
      text('ä'),
      ']',
      'K\x07',
      'a',
      's',
    )
    const { value, end } = readPickle(bytes)
    expect(value).toEqual(
      new Map<string, unknown>([
        ['a', [-5, null, true]],
        ['ä', [7]],
      ]),
    )
    expect(end).toBe(bytes.length)
  })

  it('reads memoised values with both widths of index', () => {
    const bytes = pickle('(', text('same'), 'q\x00', 'r\x01\x00\x00\x00', 'h\x00', 'j\x01\x00\x00\x00', 't')
    expect(readPickle(bytes).value).toEqual(['same', 'same', 'same'])
  })

  it('keeps large integers, and the sign of others', () => {
    expect(readPickle(magic).value).toBe(0x1950a86a20f9469cfc6cn)
    expect(readPickle(pickle([0x8a, 2, 0xfe, 0xff])).value).toBe(-2)
  })

  it('starts where the previous pickle ended', () => {
    const { end } = readPickle(protocol)
    expect(readPickle(Buffer.concat([protocol, pickle('K\x2a')]), end).value).toBe(42)
  })

  it('refuses to load anything that is not allowed, even if it is never called', () => {
    const system = pickle(global('posix', 'system'), tuple(text('true')), 'R')
    expect(() => readPickle(system)).toThrow('Refused to load posix.system')
    expect(() => readPickle(pickle(global('builtins', 'eval')))).toThrow('Refused to load builtins.eval')
  })

  it('does not call what is allowed only as a value', () => {
    const globals = new Map([['torch.FloatStorage', 'float32']])
    const bytes = pickle(global('torch', 'FloatStorage'), ')', 'R')
    expect(() => readPickle(bytes, 0, { globals, persistentLoad: () => null })).toThrow(
      'Expected the pickle to call',
    )
  })

  it.each([
    ['an opcode that makes objects', pickle('}', [0x81]), 'Refused the pickle opcode 0x81'],
    ['another protocol', Buffer.of(0x80, 4, 0x2e), 'Expected pickle protocol 2'],
    ['a pickle that is cut off', text('half').subarray(0, 7), 'cut off'],
    ['a global that is cut off', Buffer.from('cos\nsys'), 'cut off'],
    ['an empty stack', pickle(), 'Expected a value on the stack'],
    ['items without a mark', pickle('}', 'u'), 'Expected a mark'],
    ['attributes on a list', pickle(']', '}', 'b'), 'Expected attributes on a dict'],
    ['an unknown memo', pickle('h\x05'), 'memoised 5'],
  ])('refuses %s', (_what, bytes, message) => {
    expect(() => readPickle(bytes)).toThrow(message)
  })
})

describe('readTorchCheckpoint', () => {
  it('reads a contiguous tensor', () => {
    const tensors = readTorchCheckpoint(checkpoint(contiguous, { 1: [1, 2, 3, 4] }))
    expect(tensors).toEqual(new Map([['a', { shape: [2, 2], values: Float32Array.of(1, 2, 3, 4) }]]))
  })

  it('copies a permuted view into row-major order', () => {
    const permuted = { storage: '1', shape: [3, 2], stride: [1, 3] }
    const tensors = readTorchCheckpoint(checkpoint({ permuted }, { 1: [1, 2, 3, 4, 5, 6] }))
    expect(tensors.get('permuted')?.values).toEqual(Float32Array.of(1, 4, 2, 5, 3, 6))
  })

  it('lets tensors share a storage at different offsets', () => {
    const tensors = readTorchCheckpoint(
      checkpoint(
        {
          whole: { storage: '1', shape: [4], stride: [1] },
          odd: { storage: '1', offset: 1, shape: [2], stride: [2] },
          one: { storage: '1', offset: 3, shape: [], stride: [] },
        },
        { 1: [1, 2, 3, 4] },
      ),
    )
    expect(tensors.get('odd')?.values).toEqual(Float32Array.of(2, 4))
    expect(tensors.get('one')).toEqual({ shape: [], values: Float32Array.of(4) })
  })

  it('reads data in key order, not in tensor order', () => {
    const one = (storage: string): Stored => ({ storage, shape: [1], stride: [1] })
    const tensors = readTorchCheckpoint(checkpoint({ a: one('10'), b: one('2') }, { 2: [2], 10: [10] }))
    expect([...tensors].map(([name, { values }]) => [name, values[0]])).toEqual([
      ['a', 10],
      ['b', 2],
    ])
  })

  it('refuses a callable that PyTorch itself would run', () => {
    const evil = pickle(global('os', 'system'), tuple(text('true')), 'R')
    expect(() => readTorchCheckpoint(Buffer.concat([magic, protocol, littleEndian, evil]))).toThrow(
      'Refused to load os.system',
    )
  })

  it.each([
    ['beyond its storage', { storage: '1', offset: 1, shape: [2, 2], stride: [2, 1] }],
    ['larger than its storage', { storage: '1', shape: [1000, 1000], stride: [0, 0] }],
    ['without a stride for every axis', { storage: '1', shape: [2, 2], stride: [1] }],
  ])('refuses a tensor %s', (_what, a) => {
    expect(() => readTorchCheckpoint(checkpoint({ a }, { 1: [1, 2, 3, 4] }))).toThrow(
      'to lie within its storage',
    )
  })

  it('refuses files that are truncated, too long or of another kind', () => {
    const bytes = checkpoint(contiguous, { 1: [1, 2, 3, 4] })
    expect(() => readTorchCheckpoint(bytes.subarray(0, -1))).toThrow('Expected the whole storage 1')
    expect(() => readTorchCheckpoint(Buffer.concat([bytes, Buffer.of(0)]))).toThrow('to end at byte')
    expect(() => readTorchCheckpoint(protocol)).toThrow('Expected the magic number')
    expect(() => readTorchCheckpoint(Buffer.from('PK\x03\x04'))).toThrow('Refused the pickle opcode')
  })
})

describe('Weights', () => {
  const one = (value: number): Tensor => ({ shape: [1], values: Float32Array.of(value) })
  const batchNorm: [string, Tensor][] = [
    ['bn.weight', one(3)],
    ['bn.bias', one(0.5)],
    ['bn.running_mean', one(2)],
    ['bn.running_var', one(4)],
    ['bn.num_batches_tracked', { shape: [], values: BigInt64Array.of(9n) }],
  ]
  const kernel: Tensor = { shape: [1, 2, 1, 2], values: Float32Array.of(1, 2, 3, 4) }

  it('folds the batch norm into the kernel and puts height and width first', () => {
    const weights = new Weights(new Map([['conv.weight', kernel], ...batchNorm]))
    const layer = weights.convolution('conv', 'bn', [1, 2, 1, 2])
    const scale = 3 / Math.sqrt(4.001)
    expect(layer.kernelShape).toEqual([1, 2, 2, 1])
    expect([...layer.kernel]).toEqual([1, 3, 2, 4].map((value) => value * scale))
    expect([...layer.bias]).toEqual([0.5 - 2 * scale])
    expect(() => weights.expectAllTaken()).not.toThrow()
  })

  it('reports a weight that is missing, of another shape or left over', () => {
    const weights = new Weights(new Map([['conv.weight', kernel]]))
    expect(() => weights.convolution('other', 'bn', [1, 2, 1, 2])).toThrow('Expected the weight other.weight')
    expect(() => weights.convolution('conv', 'bn', [2, 1, 1, 2])).toThrow(
      'the shape [2,1,1,2], it has [1,2,1,2]',
    )
    expect(() => weights.expectAllTaken()).toThrow('found conv.weight')
  })
})

describe('toFloat16', () => {
  it.each([
    [0, 0x0000],
    [1, 0x3c00],
    [-2, 0xc000],
    [65_504, 0x7bff],
    [2 ** -14, 0x0400],
    [2 ** -24, 0x0001],
    [1 - 2 ** -30, 0x3c00],
  ])('encodes %p', (value, bits) => {
    expect(toFloat16(value)).toBe(bits)
  })

  it('rounds halves to even', () => {
    expect(toFloat16(1 + 2 ** -11)).toBe(0x3c00)
    expect(toFloat16(1 + 3 * 2 ** -11)).toBe(0x3c02)
    expect(toFloat16(2 ** -25)).toBe(0)
  })

  it.each([65_520, Number.NEGATIVE_INFINITY, Number.NaN])('refuses %p', (value) => {
    expect(() => toFloat16(value)).toThrow('Expected a weight within the range of float16')
  })
})
