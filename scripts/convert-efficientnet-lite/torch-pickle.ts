import * as z from 'zod'
import { InvalidInputError } from '../../src/errors'
import { type PickleContext, readPickle } from './pickle'

/** A tensor in row-major order. */
export interface Tensor {
  shape: number[]
  values: Float32Array | BigInt64Array
}

/** First pickle in files of `torch.save` before PyTorch 1.6, which switched to zip files. */
const magicNumber = 0x1950a86a20f9469cfc6cn
const protocolVersion = 1001

type ElementType = 'float32' | 'int64'
const bytesPerElement: Record<ElementType, number> = { float32: 4, int64: 8 }

/** A run of numbers in the file, which tensors refer to. The data follows all pickles. */
class Storage {
  values?: Tensor['values']

  constructor(
    readonly type: ElementType,
    readonly count: number,
  ) {}

  /** Copies `bytes`, which are unaligned in the file. */
  fill(bytes: Uint8Array): void {
    const { buffer } = new Uint8Array(bytes)
    this.values = this.type === 'float32' ? new Float32Array(buffer) : new BigInt64Array(buffer)
  }
}

/** A strided view of a storage. */
interface View {
  storage: Storage
  offset: number
  shape: number[]
  stride: number[]
}

const natural = z.int().nonnegative()
const storageReference = z.tuple([
  z.literal('storage'),
  z.enum(['float32', 'int64']),
  z.string(),
  z.literal('cpu'),
  natural,
  z.null(), // would say that the storage is a window onto another one
])
const viewArguments = z.tuple([
  z.instanceof(Storage),
  natural,
  z.array(natural),
  z.array(natural),
  z.boolean(), // requires_grad
  z.instanceof(Map), // backward hooks
])
const stateDict = z.map(
  z.string(),
  z.custom<View>((value) => (value as View | null)?.storage instanceof Storage),
)
const systemInfo = z.map(z.string(), z.unknown()).refine((info) => info.get('little_endian') === true)

function parse<T>(schema: z.ZodType<T>, value: unknown, what: string): T {
  const parsed = schema.safeParse(value)
  if (parsed.success) return parsed.data
  throw new InvalidInputError(
    'bad_model',
    `Expected ${what} in the checkpoint: ${z.prettifyError(parsed.error)}`,
  )
}

function rebuildTensor(...args: unknown[]): View {
  const [storage, offset, shape, stride] = parse(viewArguments, args, 'a tensor')
  const size = shape.reduce((product, length) => product * length, 1)
  const last = shape.reduce(
    (index, length, axis) => index + (length - 1) * (stride[axis] ?? Infinity),
    offset,
  )
  // Also bounds the size: with strides of 0 a tensor may be larger than its storage; no checkpoint needs that.
  if (stride.length !== shape.length || size > storage.count || (size > 0 && last >= storage.count)) {
    throw new InvalidInputError(
      'bad_model',
      `Expected the tensor [${shape}] to lie within its storage of ${storage.count}`,
    )
  }
  return { storage, offset, shape, stride }
}

/** Index in the storage of a row-major position. */
function storageIndex({ offset, shape, stride }: View, position: number): number {
  let index = offset
  for (let axis = shape.length - 1, rest = position; axis >= 0; axis--) {
    const length = shape[axis] ?? 1
    index += (rest % length) * (stride[axis] ?? 0)
    rest = Math.floor(rest / length)
  }
  return index
}

function copyByStride(view: View): Tensor {
  const { values } = view.storage
  if (!values) throw new InvalidInputError('bad_model', 'Expected data for every storage of the checkpoint')
  const size = view.shape.reduce((product, length) => product * length, 1)
  const indices = Uint32Array.from({ length: size }, (_, position) => storageIndex(view, position))
  return {
    shape: view.shape,
    values:
      values instanceof Float32Array
        ? Float32Array.from(indices, (index) => values[index] ?? 0)
        : BigInt64Array.from(indices, (index) => values[index] ?? 0n),
  }
}

/**
 * Reads a state dict from a checkpoint in PyTorch's legacy format: five pickles (magic number, protocol version, system info, the
 * dict, the storage keys in data order), then for each storage its length as int64 and its data. Tensors keep their PyTorch shapes
 * (`[out, in, height, width]` for convolutions); permuted views are copied to row-major order.
 */
export function readTorchCheckpoint(bytes: Uint8Array): Map<string, Tensor> {
  const storages = new Map<string, Storage>()
  const context: PickleContext = {
    globals: new Map<string, unknown>([
      ['collections.OrderedDict', () => new Map()],
      ['torch._utils._rebuild_tensor_v2', rebuildTensor],
      ['torch.FloatStorage', 'float32'],
      ['torch.LongStorage', 'int64'],
    ]),
    persistentLoad: (id) => {
      const [, type, key, , count] = parse(storageReference, id, 'a reference to a storage')
      const storage = storages.get(key) ?? new Storage(type, count)
      storages.set(key, storage)
      return storage
    },
  }
  let at = 0
  const next = <T>(schema: z.ZodType<T>, what: string): T => {
    const { value, end } = readPickle(bytes, at, context)
    at = end
    return parse(schema, value, what)
  }

  next(z.literal(magicNumber), 'the magic number of the legacy format')
  next(z.literal(protocolVersion), 'the protocol version')
  next(systemInfo, 'a little-endian system')
  const views = next(stateDict, 'a state dict')
  const keys = next(z.array(z.string()), 'the storage keys')

  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  for (const key of keys) {
    const storage = storages.get(key)
    const start = at + 8
    const end = start + (storage ? storage.count * bytesPerElement[storage.type] : 0)
    if (!storage || end > bytes.length || view.getBigInt64(at, true) !== BigInt(storage.count)) {
      throw new InvalidInputError(
        'bad_model',
        `Expected the whole storage ${key} at byte ${at} of the checkpoint`,
      )
    }
    storage.fill(bytes.subarray(start, end))
    at = end
  }
  if (at !== bytes.length)
    throw new InvalidInputError('bad_model', `Expected the checkpoint to end at byte ${at}`)
  return new Map([...views].map(([name, tensor]) => [name, copyByStride(tensor)]))
}
